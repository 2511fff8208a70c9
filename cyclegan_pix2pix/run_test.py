"""What test.py does: run a trained model over pictures, and put the results on a page."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

import architecture
import computing
from data import check_same_size, create_dataset
from models import find_model
from option_text import options_table, save_options
from shared_scripts.batches import collate
from shared_scripts.cli import UserError
from shared_scripts.devices import explain_out_of_memory
from shared_scripts.distributed import Processes
from shared_scripts.progress import tell
from webpage import ResultsPage, save_images


def test(opt: argparse.Namespace) -> int:
    """Test as the options say; the exit status is 1 where some of the pictures could not be read."""
    architecture.adopt(opt, architecture.find_networks(opt, find_model(opt.model).generators(opt)))
    if opt.model == "test":
        opt.direction = "AtoB"  # a generator alone takes what it takes
    else:
        architecture.adopt_direction(opt)
    dataset = create_dataset(opt)
    computing.set_up(opt, Processes())
    model = load_model(opt)
    with explain_out_of_memory("take a smaller --crop_size, or smaller pictures with --preprocess scale_width"):
        failed = translate_all(opt, dataset, model, open_page(opt))
    return 1 if failed else 0


def load_model(opt: argparse.Namespace):
    """The trained model. `opt` has the architecture of its files."""
    kind, options, epoch = find_model(opt.model), options_table(opt), architecture.epoch_name(opt)
    print(options, flush=True)
    save_options(Path(opt.checkpoints_dir) / opt.name, opt.phase, options)
    architecture.tell_adopted(opt)
    model = kind(opt)
    print(f"model [{kind.__name__}] was created")
    for name in model.model_names:
        print(f"loading the model from {model.file(epoch, name)}")
    model.load_networks(epoch)
    print(model.networks_text(opt.verbose), flush=True)
    if opt.eval:
        model.eval()
    return model


def open_page(opt: argparse.Namespace) -> ResultsPage:
    """results_dir/NAME/{phase}_{epoch}/, with `_iter{N}` for --load_iter."""
    folder = f"{opt.phase}_{opt.epoch}" + (f"_iter{opt.load_iter}" if opt.load_iter > 0 else "")
    place = Path(opt.results_dir) / opt.name / folder
    print(f"creating web directory {place}", flush=True)
    dropout = "no dropout" if opt.eval or opt.no_dropout else "dropout as in training"
    how = f"{'running statistics (--eval)' if opt.eval else 'each picture by its own statistics'}, {dropout}"
    return ResultsPage(
        place, opt.name, opt.phase, opt.epoch, opt.display_winsize, summary=f"Model {opt.model}, {opt.netG}: {how}."
    )


def translate_all(opt: argparse.Namespace, dataset, model, page: ResultsPage) -> int:
    """Every picture, one by one; returns how many could not be used. UserError where none could."""
    count, problems, told = int(min(opt.num_test, len(dataset))), [], 0
    try:
        for number in tqdm(range(count), file=sys.stderr, disable=None, dynamic_ncols=True):
            try:
                batch = read_batch(opt, dataset, number)
            except UserError as problem:
                problems.append(str(problem))
                continue
            translate(opt, model, page, batch, number)
            for problem in problems[told:]:  # not before there is a result: where none can be made, one line is enough
                tell(f"Skipped: {problem}")
            told = len(problems)
    finally:
        if page.rows:  # also of a run that was stopped
            page.write()
    if len(problems) == count:
        raise UserError(problems[0] if count == 1 else f"none of the {count} pictures can be used: {problems[0]}")
    for problem in problems[told:]:
        tell(f"Skipped: {problem}")
    more = f" of {len(dataset)} pictures (--num_test all takes all)" if count < len(dataset) else ""
    print(f"Made {count - len(problems)} results{more}: {page.folder / 'index.html'}", flush=True)
    return len(problems)


def read_batch(opt: argparse.Namespace, dataset, number: int) -> dict:
    """A batch of one item. UserError where it cannot be read, or the generator cannot take it."""
    batch, _ = collate([(dataset[number], [])], check_same_size)
    for side in ("A", "B") if opt.model == "cycle_gan" else ("A",):
        architecture.check_size(opt, *batch[side].shape[2:], batch[f"{side}_paths"][0])
    return batch


def translate(opt: argparse.Namespace, model, page: ResultsPage, batch: dict, number: int) -> None:
    """One picture through the model and onto the page."""
    model.set_input(batch)
    model.test()
    path = model.get_image_paths()[0]
    if number % 5 == 0:
        tqdm.write(f"processing ({number:04d})-th image... {[path]}", file=sys.stdout)
    visuals = model.get_current_visuals()
    back = opt.keep_size or opt.preprocess == "none"
    sizes = {label: original_size(opt, batch, label) for label in visuals} if back else None
    save_images(page, visuals, path, aspect_ratio=opt.aspect_ratio, size=sizes, root=opt.dataroot)


def original_size(opt: argparse.Namespace, batch: dict, label: str) -> tuple[int, int]:
    """(height, width) of the picture that a result was made of. Only CycleGAN's two pictures differ in size."""
    of_b = opt.model == "cycle_gan" and label in ("real_B", "fake_A", "rec_B")
    side = "B" if of_b != (opt.direction == "BtoA") and "B_size" in batch else "A"
    return tuple(batch[f"{side}_size"][0].tolist())
