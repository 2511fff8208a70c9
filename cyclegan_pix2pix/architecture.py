"""Which networks to build: told by the files where there are some, by the flags where there are none."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import legacy
from networks import UNET_DEPTH, smallest_side
from shared_scripts.cli import UserError
from shared_scripts.files import natural_key
from shared_scripts.progress import tell

FIELDS = {"netG": "--netG", "norm": "--norm", "ngf": "--ngf", "input_nc": "--input_nc", "output_nc": "--output_nc"}


def adopt(opt: argparse.Namespace, files: list[Path]) -> None:
    """Set the options to the architecture that saved generators have; the second one maps backwards.

    UserError in one line where a flag on the command line says otherwise.
    """
    for number, path in enumerate(files):
        found = legacy.describe_generator(legacy.read_weights(path), str(path))
        backwards = number == 1
        for field in FIELDS:
            own = {"input_nc": "output_nc", "output_nc": "input_nc"}.get(field, field) if backwards else field
            agree(opt, own, getattr(found, field), FIELDS[own], path)
        if found.dropout is not None:
            agree(opt, "no_dropout", not found.dropout, "--no_dropout" if found.dropout else "--use_dropout", path)


def adopt_discriminator(opt: argparse.Namespace, path: Path) -> None:
    """The same for a discriminator, where a training goes on."""
    found = legacy.describe_discriminator(legacy.read_weights(path), str(path))
    agree(opt, "ndf", found.ndf, "--ndf", path)
    agree(opt, "n_layers_D", found.n_layers_D, "--n_layers_D", path)
    if found.netD != ("basic" if (opt.netD, opt.n_layers_D) == ("n_layers", 3) else opt.netD):
        agree(opt, "netD", found.netD, "--netD", path)


def agree(opt: argparse.Namespace, field: str, value: object, flag: str, path: Path) -> None:
    """Set one option to what a file says. UserError where the command line says otherwise."""
    said = getattr(opt, field)
    if said == value or (field == "norm" and {said, value} == {"batch", "syncbatch"}):
        return
    if field in opt.given:
        own = f"{flag} {said}" if not isinstance(said, bool) else flag
        truth = f"{value}" if not isinstance(value, bool) else ("no dropout" if value else "dropout")
        raise UserError(f"{path} was made with another architecture than {own}: it has {truth}; leave {flag} out")
    setattr(opt, field, value)
    opt.adopted = [*getattr(opt, "adopted", []), f"{field} {value}"]


def adopt_direction(opt: argparse.Namespace) -> None:
    """Translate the way the model was trained to, where train.py has written that down and no flag says otherwise."""
    written = Path(opt.checkpoints_dir) / opt.name / "train_opt.txt"
    if not written.is_file():
        return
    found = re.search(r"^ *direction: *(AtoB|BtoA)\b", written.read_text(encoding="utf-8", errors="replace"), re.M)
    if not found or found[1] == opt.direction:
        return
    if "direction" in opt.given:
        tell(f"Warning: the model was trained with --direction {found[1]}, not {opt.direction} ({written}).")
    else:
        opt.direction = found[1]
        opt.adopted = [*getattr(opt, "adopted", []), f"direction {found[1]}"]


def tell_adopted(opt: argparse.Namespace) -> None:
    """One line on what was read from the files."""
    if found := getattr(opt, "adopted", []):
        tell(f"Read from the saved networks: {', '.join(found)}.")


def shrink_discriminator(opt: argparse.Namespace) -> None:
    """Fewer layers for crops that are too small for the PatchGAN asked for, with a line saying so."""
    if opt.netD == "pixel" or "crop" not in opt.preprocess:
        return
    wanted = 3 if opt.netD == "basic" else opt.n_layers_D
    layers = wanted
    while layers > 1 and smallest_side(layers, opt.norm) > opt.crop_size:
        layers -= 1
    if smallest_side(layers, opt.norm) > opt.crop_size:
        opt.netD = "pixel"
        tell(f"A crop of {opt.crop_size} pixels is too small for any PatchGAN: judging single pixels (--netD pixel).")
    elif layers < wanted:
        opt.netD, opt.n_layers_D = "n_layers", layers
        tell(
            f"A crop of {opt.crop_size} pixels is too small for a discriminator of {wanted} layers, which needs "
            f"{smallest_side(wanted, opt.norm)}: taking {layers} (--netD n_layers --n_layers_D {layers})."
        )


def check_crop(opt: argparse.Namespace) -> None:
    """UserError, before anything else is done, where the crops of a training cannot go through the generator."""
    if "crop" not in opt.preprocess:
        return
    multiple = 2 ** UNET_DEPTH.get(opt.netG, 2)
    if opt.crop_size % multiple == 0:
        return
    better = max(multiple, round(opt.crop_size / multiple) * multiple)
    other = ", or --netG unet_128" if opt.netG == "unet_256" and opt.crop_size % 128 == 0 else ""
    raise UserError(
        f"{opt.netG} takes sides that are multiples of {multiple}, not --crop_size {opt.crop_size}: "
        f"say --crop_size {better}{other}"
    )


def check_size(opt: argparse.Namespace, height: int, width: int, path: str) -> None:
    """UserError where a picture of this size, as --preprocess gave it, cannot go through the generator."""
    cut = "leave out --preprocess" if opt.preprocess == "none" else "use --preprocess resize_and_crop"
    if opt.netG in UNET_DEPTH:
        multiple = 2 ** UNET_DEPTH[opt.netG]
        if height % multiple or width % multiple:
            raise UserError(
                f"{path} goes into the network as {width}x{height}, but {opt.netG} takes sides that are multiples of "
                f"{multiple}: {cut}, and take such a --crop_size ({multiple}, {2 * multiple}, …)"
            )
    elif min(height, width) < 5:  # a quarter of it must have two pixels, to be mirrored and normalised
        raise UserError(f"{path} goes into the network as {width}x{height}, which is too small: {cut}")


def epoch_name(opt: argparse.Namespace) -> str:
    """What the files of the networks to load begin with: --load_iter's iteration, or --epoch."""
    return f"iter_{opt.load_iter}" if opt.load_iter > 0 else str(opt.epoch)


def find_networks(opt: argparse.Namespace, names: tuple[str, ...]) -> list[Path]:
    """The files of saved generators. UserError, listing what there is, where one is missing."""
    place = Path(opt.checkpoints_dir)
    folder, epoch = place / opt.name, epoch_name(opt)
    if not folder.is_dir():
        raise UserError(f"there is no experiment {opt.name!r} in {place}; {other_experiments(place)}")
    files = [folder / f"{epoch}_net_{name}.pth" for name in names]
    for path in files:
        if not path.is_file():
            raise UserError(f"there is no file {path}{other_files(folder, epoch, path)}")
    return files


def other_experiments(place: Path) -> str:
    """What else there is, or where it comes from."""
    names = [path.parent.relative_to(place).as_posix() for path in place.glob("**/*_net_G*.pth")]
    if names:
        return f"it has {listed(sorted({*names}, key=natural_key))} (--name)"
    return "train one with train.py, get one with scripts/download_cyclegan_model.sh, or say where: --checkpoints_dir"


def other_files(folder: Path, epoch: str, missing: Path) -> str:
    """What the folder has instead, and which flag takes it."""
    wanted = missing.name.removeprefix(epoch)
    epochs = sorted((path.name.removesuffix(wanted) for path in folder.glob(f"*{wanted}")), key=natural_key)
    if epochs:
        steps = [name.removeprefix("iter_") for name in epochs if name.startswith("iter_")]
        epochs = [name for name in epochs if not name.startswith("iter_")]
        has = [f"the epochs {listed(epochs)} (--epoch)"] * bool(epochs)
        return f"; {folder} has " + " and ".join(has + [f"the iterations {listed(steps)} (--load_iter)"] * bool(steps))
    if wanted == "_net_G.pth" and list(folder.glob("*_net_G_A.pth")):
        return (
            "; the experiment is a CycleGAN: say --model cycle_gan, or --model test with --model_suffix _A or "
            "--model_suffix _B"
        )
    if found := [*folder.glob(f"{epoch}_net_G.pth"), *folder.glob("*_net_G.pth")]:
        return (
            f", but {found[0].name} of a single generator: say --model test without --model_suffix, or --model pix2pix"
        )
    found = sorted(path.name for path in folder.glob("*_net_G*.pth"))
    return f"; {folder} has " + (listed(found) if found else "no networks yet")


def listed(names: list[str]) -> str:
    """Some names as words, or "nothing"."""
    shown = names if len(names) <= 12 else [*names[:12], f"and {len(names) - 12} more"]
    return ", ".join(shown) or "nothing"
