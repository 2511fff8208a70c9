"""The training loop of train.py: epochs, batches, and what is shown and saved at which of them."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import torch

import architecture
import computing
from data import check_same_size, create_dataset
from models import find_model
from models.base_model import BaseModel
from option_text import options_table, save_options
from shared_scripts import distributed
from shared_scripts.batches import Loader, count_workers
from shared_scripts.cli import RunError, StopBetweenSteps, StoppedBetweenSteps, UserError
from shared_scripts.devices import explain_out_of_memory
from shared_scripts.distributed import Processes
from shared_scripts.progress import check_finite, tell
from training_state import Position, TrainingState
from visualizer import Visualizer


def train(opt: argparse.Namespace) -> int:
    """Train as the options say; returns the exit status."""
    processes = distributed.start(on_cuda=distributed.wants_cuda(opt.device, opt.gpu_ids))
    try:
        advice = "take a smaller --crop_size, --load_size, --batch_size or --ngf"
        with explain_out_of_memory(advice), distributed.explain_lost_process():
            Training(opt, processes).run()
    finally:
        distributed.stop()
    return 0


class Training:
    """One run of train.py."""

    def __init__(self, opt: argparse.Namespace, processes: Processes):
        self.opt, self.processes = opt, processes
        self.folder = Path(opt.checkpoints_dir) / opt.name
        self.last = opt.n_epochs + opt.n_epochs_decay
        computing.set_up(opt, processes)
        self.state = TrainingState(self.folder, opt, processes)
        with processes.only_first_talks():
            self.prepare_architecture()
        opt.first_epoch = self.state.position.first_epoch

    def say(self, line: str) -> None:
        """A line of the reference's on stdout, once for all processes."""
        if self.processes.first:
            print(line, flush=True)

    # --- getting ready --------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Pictures, networks and displays. Files are touched last: by then nothing is wrong with the flags."""
        opt, options = self.opt, options_table(self.opt)
        dataset = create_dataset(opt)
        self.say(options)
        self.loader = self.open_pictures(dataset)
        self.model = self.build_model()
        if self.processes.first:
            self.state.remove_leftovers()
            save_options(self.folder, opt.phase, options)
        self.visualizer = Visualizer(opt, self.folder, opt.continue_train, quiet=not self.processes.first)

    def prepare_architecture(self) -> None:
        """Take the architecture from the files of the training that is continued, or from the flags."""
        opt = self.opt
        architecture.shrink_discriminator(opt)  # so that --netD means what it meant when the training began
        if self.state.found:
            self.state.take_architecture()
        elif opt.continue_train:
            names = find_model(opt.model).generators(opt)
            architecture.adopt(opt, architecture.find_networks(opt, names))
            for path in sorted(self.folder.glob(f"{architecture.epoch_name(opt)}_net_D*.pth"))[:1]:
                architecture.adopt_discriminator(opt, path)
            architecture.tell_adopted(opt)
        architecture.shrink_discriminator(opt)
        architecture.check_crop(opt)

    def open_pictures(self, dataset) -> Loader:
        """The batches of a data set."""
        opt = self.opt
        self.say(f"dataset [{type(dataset).__name__}] was created")
        self.say(f"The number of training images = {len(dataset)}")
        workers = count_workers(opt.num_threads, len(dataset), self.processes)
        return Loader(
            dataset,
            opt.batch_size,
            self.state.seed,
            self.processes,
            workers,
            shuffle=not opt.serial_batches,
            check=check_same_size,
            pin_memory=opt.torch_device.type == "cuda",
        )

    def build_model(self) -> BaseModel:
        """The model with fresh weights, or with those of the training that is continued."""
        opt = self.opt
        if self.processes.world > 1:
            torch.manual_seed(self.state.seed)  # all processes begin with the same weights
        model = find_model(opt.model)(opt)
        self.say(f"model [{type(model).__name__}] was created")
        self.state.restore(model)
        model.parallelize(opt.gpu_list)
        self.say(model.networks_text(opt.verbose))
        return model

    # --- the loop -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """All epochs that are left, if any is."""
        done, last = self.state.position.epoch - 1, self.last
        if done >= last:
            self.say(f"Nothing is left to train: epoch {done} of {last} is done; raise --n_epochs to go on.")
            return
        self.prepare()
        finished = False
        try:
            with StopBetweenSteps() as stopping, explain_small_pictures():
                self.run_epochs(stopping)
            finished = True
        finally:
            self.visualizer.close(finished)

    def run_epochs(self, stopping: StopBetweenSteps) -> None:
        """All epochs that are left. Ctrl-C saves and ends; the run can be continued to the bit."""
        position = self.state.position
        try:
            while position.epoch <= self.last:
                self.run_epoch(position, stopping)
            self.save("latest")
            self.show_pictures(position.epoch - 1, position.images, on_page=True)
        except StoppedBetweenSteps:
            self.save("latest")
            if self.processes.first:
                tell(f"Saved at {position.images:,} images; the same command with --continue_train goes on from here.")
            raise

    def run_epoch(self, position: Position, stopping: StopBetweenSteps) -> None:
        """One epoch, or the rest of one."""
        opt, started = self.opt, time.time()
        rate = self.model.set_rate(position.epoch)
        asked = time.time()
        for batch in self.loader.epoch(position.epoch, position.batch):
            begun = time.time()
            self.report_problems()
            self.model.set_input(batch)
            images = len(batch["A"]) * self.processes.world
            self.model.optimize_parameters()
            position.count(images)
            self.show(position, (time.time() - begun) / images, begun - asked)
            if position.images % opt.save_latest_freq == 0:
                self.say(f"saving the latest model (epoch {position.epoch}, total_iters {position.images})")
                self.save("latest", *([f"iter_{position.images}"] if opt.save_by_iter else []))
            if self.processes.anyone(stopping.asked):
                stopping.asked = True
                stopping.check()
            asked = time.time()
        self.end_epoch(position, rate, time.time() - started)

    def end_epoch(self, position: Position, rate: float, seconds: float) -> None:
        """What the reference does between two epochs."""
        done, last = position.epoch, self.last
        self.model.end_epoch(metric=0.0)
        position.next_epoch()
        if done % self.opt.save_epoch_freq == 0:
            self.say(f"saving the model at the end of epoch {done}, iters {position.images}")
            self.save("latest", str(done))
        self.say(f"End of epoch {done} / {last} \t Time Taken: {seconds:.0f} sec")
        if done < last:
            self.say(f"learning rate {rate:.7f} -> {self.model.set_rate(done + 1):.7f}")

    def show(self, position: Position, seconds: float, waited: float) -> None:
        """Pictures and losses, at the images the flags ask for (they count images, not batches)."""
        opt, images = self.opt, position.images
        if images % opt.display_freq == 0:
            self.show_pictures(position.epoch, images, on_page=images % opt.update_html_freq == 0)
        if images % opt.print_freq == 0:
            losses = self.model.get_current_losses()
            losses = dict(zip(losses, self.processes.mean(losses.values()), strict=True))
            check_finite(losses, "take a smaller --lr, or --precision float32")
            self.visualizer.print_losses(position.epoch, position.epoch_images, losses, seconds, waited)
            share = position.batch / len(self.loader)
            self.visualizer.plot_losses(position.epoch, share, images, losses)

    def show_pictures(self, epoch: int, images: int, on_page: bool) -> None:
        """The last step's pictures, on the boards and perhaps on the page."""
        self.model.compute_visuals()
        self.visualizer.show(self.model.get_current_visuals(), epoch, images, on_page)

    def report_problems(self) -> None:
        """Name, once each, the files that could not be read."""
        for problem in self.loader.new_problems():
            tell(f"Skipped: {problem}")

    def save(self, *names: str) -> None:
        """Write the networks under some names, and with "latest" the state that the run can be continued from."""
        broken = self.model.broken_networks()
        if self.processes.anyone(bool(broken)):
            raise RunError(
                f"the weights of {' and '.join(broken) or 'a network'} are no numbers any more and are not saved; "
                "take a smaller --lr, or --precision float32"
            )
        with self.processes.first_writes("the networks"):
            for name in names if self.processes.first else ():
                self.model.save_networks(name)
        if "latest" in names:
            self.state.save(self.model)


@contextlib.contextmanager
def explain_small_pictures() -> Iterator[None]:
    """A UserError in place of what torch says of pictures that a network has shrunk to less than it can work on."""
    try:
        yield
    except (ValueError, RuntimeError) as problem:
        signs = ("single pixel", "more than 1 value per channel", "Padding size should be less", "Kernel size can't be")
        if "must match" in str(problem):  # a loss of pictures of two sizes
            raise UserError(
                "the generator gives back other sizes than it was given: a resnet takes sides that are multiples of 4; "
                "use --preprocess resize_and_crop or scale_width_and_crop with such a --crop_size"
            ) from problem
        if not any(sign in str(problem) for sign in signs):
            raise
        raise UserError(
            "the pictures are too small for these networks; take a larger --crop_size with --preprocess "
            "resize_and_crop, or --netD pixel"
        ) from problem
