"""Which networks to build: told by the files where there are some, by the flags where there are none."""

from __future__ import annotations

import argparse
from pathlib import Path

import legacy
from networks import smallest_side
from shared_scripts.cli import UserError
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


def tell_adopted(opt: argparse.Namespace) -> None:
    """One line on what was read from the files."""
    if found := getattr(opt, "adopted", []):
        tell(f"Read from the saved networks: {', '.join(found)}.")


def shrink_discriminator(opt: argparse.Namespace) -> None:
    """Fewer layers for crops that are too small for the PatchGAN asked for, with a line saying so."""
    if opt.netD == "pixel" or opt.preprocess not in ("resize_and_crop", "crop", "scale_width_and_crop"):
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


def find_networks(opt: argparse.Namespace, names: tuple[str, ...]) -> list[Path]:
    """The files of saved generators. UserError, listing what there is, where one is missing."""
    place = Path(opt.checkpoints_dir)
    folder, epoch = place / opt.name, f"iter_{opt.load_iter}" if opt.load_iter > 0 else opt.epoch
    if not folder.is_dir():
        there = sorted(path.name for path in place.iterdir() if path.is_dir()) if place.is_dir() else []
        raise UserError(f"there is no experiment {opt.name!r} in {place}; it has {listed(there)}")
    files = [folder / f"{epoch}_net_{name}.pth" for name in names]
    for path in files:
        if not path.is_file():
            raise UserError(f"there is no file {path}{other_files(folder, epoch, path)}")
    return files


def other_files(folder: Path, epoch: str, missing: Path) -> str:
    """What the folder has instead, and which flag takes it."""
    if (folder / f"{epoch}_net_G_A.pth").is_file() and missing.name.endswith("_net_G.pth"):
        return "; the experiment is a CycleGAN: add --model_suffix _A or --model_suffix _B, or say --model cycle_gan"
    if (folder / f"{epoch}_net_G.pth").is_file():
        return f", but one of a single generator, {epoch}_net_G.pth: say --model test, or --model pix2pix"
    epochs = sorted({path.name.split("_net_")[0] for path in folder.glob("*_net_G*.pth")})
    return f"; {folder} has " + (f"the epochs {listed(epochs)} (--epoch)" if epochs else "no networks yet")


def listed(names: list[str]) -> str:
    """Some names as words, or "nothing"."""
    shown = names if len(names) <= 12 else [*names[:12], f"and {len(names) - 12} more"]
    return ", ".join(shown) or "nothing"
