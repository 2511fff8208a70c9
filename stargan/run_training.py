"""The training loop: steps, and what is shown and saved at which of them."""

from __future__ import annotations

import argparse
import contextlib
import datetime
import importlib.util
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

import notes
import printing
import sheets
import training_state
from legacy import describe_discriminator, describe_generator, lay_into, read_weights
from networks import Discriminator, Generator
from options import listing
from schedules import OLD_MULTI_EVERY, Epochs, Iterations, Moment, decayed
from shared_scripts import distributed
from shared_scripts.batches import Loader, count_workers, mixed
from shared_scripts.checkpoints import save_state
from shared_scripts.cli import RunError, StopBetweenSteps, StoppedBetweenSteps, UserError
from shared_scripts.devices import describe, explain_out_of_memory, pick_device, pick_precision, seed_everything
from shared_scripts.distributed import Processes
from shared_scripts.files import ensure_folder
from shared_scripts.memory import keep_memory
from shared_scripts.progress import Progress, check_finite, forget_rows_after, tell
from shared_scripts.weights import broken
from sources import Source, label_dims, open_sources, sheet_targets
from training import LOSSES, Batch, Trainer

OLD_SAMPLE_BATCHES = {"CelebA": 4, "RaFD": 4, "Both": 3}
ADVICE = "take a smaller --g_lr and --d_lr, or --precision float32"


def train(opt: argparse.Namespace) -> int:
    """Train as the options say; returns the exit status."""
    processes = distributed.start(on_cuda=distributed.wants_cuda(opt.device, opt.gpu_ids))
    try:
        advice = "take a smaller --batch_size, --image_size, --g_conv_dim or --d_conv_dim"
        with explain_out_of_memory(advice), distributed.explain_lost_process():
            Training(opt, processes).run()
    finally:
        distributed.stop()
    return 0


@dataclass
class Feed:
    """The batches of a source, one after the other without an end."""

    source: Source
    loader: Loader
    ahead: int  # how many batches the samples have taken before training begins
    batches: Iterator[dict] | None = None

    def next(self, step: int) -> dict:
        """The batch of a step (counted from 1). Steps must be asked for in order, from any first one on."""
        batch = next(self.batches, None) if self.batches is not None else None
        if batch is None:
            epoch, start = divmod(step - 1 + self.ahead, len(self.loader))
            self.batches = self.loader.epoch(epoch + 1, start)
            batch = next(self.batches)
        return batch


class Training:
    """One run of training."""

    def __init__(self, opt: argparse.Namespace, processes: Processes):
        self.opt, self.processes, self.old = opt, processes, opt.variant == "old"
        keep_memory()
        seed_everything(opt.seed)
        self.device = self.pick_device()
        dtype = pick_precision(opt.precision, self.device, 4 * opt.g_conv_dim, max(8, opt.image_size // 4))
        self.dtype = processes.from_first(dtype)  # timed by each: they might differ
        self.folder, self.log_folder = Path(opt.model_save_dir), Path(opt.log_dir)
        self.step = 0  # how many are done
        self.saved = False  # whether the networks and the state of this step are on the disk
        self.alone = False  # whether networks alone are gone on from
        self.forgotten = 0  # how many times the learning rates had been lowered when --reference_exact began them anew
        self.began = time.time()

    def pick_device(self) -> torch.device:
        """The flags' device; of several processes each has a GPU of its own, or the CPU."""
        opt, processes = self.opt, self.processes
        if processes.world == 1:
            return pick_device(opt.device, opt.gpu_ids)
        on_cuda = distributed.wants_cuda(opt.device, opt.gpu_ids)
        return torch.device("cuda", processes.local_rank) if on_cuda else torch.device("cpu")

    def say(self, line: str) -> None:
        """A line of the reference's on stdout, once for all processes."""
        if self.processes.first:
            self.progress.write(line) if hasattr(self, "progress") else print(line, flush=True)

    def tell(self, line: str) -> None:
        """A line of ours on stderr, once for all processes."""
        if self.processes.first:
            tell(line)

    # --- getting ready --------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Data, networks, and what is gone on from. Nothing is written: the flags may still be wrong."""
        with contextlib.nullcontext() if self.processes.first else printing.silence():
            self.sources = open_sources(self.opt, train=True)
        state = self.find_state()
        given = self.opt.seed if self.opt.seed is not None else secrets.randbits(31)
        self.seed = self.processes.from_first(state["seed"] if state and self.opt.seed is None else given)
        self.feeds = [self.open_feed(number, source) for number, source in enumerate(self.sources)]
        self.calendar = self.make_calendar()
        torch.manual_seed(self.seed)  # the first weights: the same in all processes
        self.trainer = self.make_trainer()
        self.restore(state)

    def make_trainer(self) -> Trainer:
        """Both networks with fresh weights."""
        opt = self.opt
        labels, logits = label_dims(self.sources)
        G = Generator(opt.g_conv_dim, labels, opt.g_repeat_num)
        D = Discriminator(opt.image_size, opt.d_conv_dim, logits, opt.d_repeat_num)
        for name, network in (("G", G), ("D", D)):
            self.say(printing.network_text(name, network, self.old))
        return Trainer(
            G, D, self.device, self.dtype, opt.g_lr, opt.d_lr, (opt.beta1, opt.beta2),
            opt.lambda_cls, opt.lambda_rec, opt.lambda_gp, two_steps=self.old, muon=opt.g_optimizer == "muon", lambda_id=opt.lambda_id,
        )  # fmt: skip

    def open_feed(self, number: int, source: Source) -> Feed:
        """The batches of a source. The reference's samples are the first batch of the first data set, which is then
        not trained on in the first epoch."""
        opt = self.opt
        workers = count_workers(opt.num_workers, len(source.dataset), self.processes)
        loader = Loader(
            source.dataset,
            opt.batch_size,
            mixed(self.seed, number),
            self.processes,
            workers,
            pin_memory=self.device.type == "cuda",
        )
        return Feed(source, loader, ahead=0 if self.old or number else 1)

    def make_calendar(self) -> Iterations | Epochs:
        """When what is done."""
        opt = self.opt
        if self.old and opt.dataset != "Both":
            return Epochs(opt.num_epochs, opt.num_epochs_decay, len(self.feeds[0].loader))
        every = OLD_MULTI_EVERY if self.old else opt.lr_update_step
        return Iterations(opt.num_iters, opt.num_iters_decay, every, "Iter" if self.old else "Iteration")

    def lowered_by(self, rate: float) -> float:
        """By how much a learning rate falls each time."""
        opt = self.opt
        if isinstance(self.calendar, Epochs):
            return rate / opt.num_epochs_decay
        if self.old:
            return rate / opt.num_iters_decay * OLD_MULTI_EVERY
        return rate / opt.num_iters_decay * (opt.lr_update_step if opt.lr_decay == "linear" else 1)

    def rates(self, times: int) -> tuple[float, float]:
        """Both learning rates after the calendar has lowered them some times."""
        g_lr, d_lr, times = self.opt.g_lr, self.opt.d_lr, max(0, times - self.forgotten)
        return decayed(g_lr, self.lowered_by(g_lr), times), decayed(d_lr, self.lowered_by(d_lr), times)

    # --- going on -------------------------------------------------------------------------------------------------

    def settings(self) -> dict:
        """What a training cannot change when it goes on."""
        opt = self.opt
        names = [name for source in self.sources for name in source.domain.names]
        keys = ("variant", "dataset", "g_optimizer", "image_size")
        keys += ("g_conv_dim", "d_conv_dim", "g_repeat_num", "d_repeat_num")
        return {**{key: getattr(opt, key) for key in keys}, "selected_attrs": names}

    def resumed_name(self) -> str | None:
        """The name of the checkpoint to go on from, "" for the newest, or None for a new training."""
        opt = self.opt
        if self.old and opt.pretrained_model:
            return opt.pretrained_model
        return str(opt.resume_iters) if opt.resume_iters else "" if opt.resume else None

    def find_state(self) -> dict | None:
        """The saved state, if it is what is to be gone on from. UserError where there is nothing to go on from."""
        name = self.resumed_name()
        if name is None or self.opt.reference_exact and name:
            return None
        state = training_state.find(self.folder, self.settings())
        if state and name in ("", state["name"]):
            return state
        if not name:
            raise UserError(
                f"{self.folder} has no {training_state.FILE} to go on from; --resume_iters N names a checkpoint"
            )
        return None

    def restore(self, state: dict | None) -> None:
        """Put back a saved state; or networks alone, where there is no state for that step."""
        name = self.resumed_name()
        if state:
            training_state.restore(self.trainer, state)
            self.step, self.forgotten = self.steps_done(state), state.get("forgotten", 0)
            self.tell(f"Going on after step {self.step}.")
        elif name:
            self.say(f"Loading the trained models from step {name}...")
            self.load_networks(name)
            self.step = self.step_of(name)
            if self.opt.reference_exact:
                self.forgotten = self.calendar.moment(self.step + 1).decays_before
            self.alone = True
            self.tell("Going on from networks alone: the optimisers begin anew.")

    def steps_done(self, state: dict) -> int:
        """How many steps lie behind a saved training. Epochs may have got another length, by --batch_size or other
        data: as many of them lie behind it then as before."""
        before = state.get("batches", 0)
        if not before or not isinstance(self.calendar, Epochs):
            return state["step"]
        epochs, batches = divmod(state["step"], before)
        return epochs * self.calendar.batches + batches * self.calendar.batches // before

    def load_networks(self, name: str) -> None:
        """The networks of a checkpoint. UserError where a file is missing or does not fit."""
        for which, network in self.trainer.networks().items():
            path = self.file(name, which)
            weights = read_weights(path)
            describe_generator(weights, str(path)) if which == "G" else describe_discriminator(weights, str(path))
            lay_into(network, weights, str(path))

    def step_of(self, name: str) -> int:
        """How many steps are done when a checkpoint of that name is written. The 2017 version goes on with the epoch
        that its first number names."""
        epoch = name.split("_")[0]
        if not epoch.isdigit():
            raise UserError(f"--pretrained_model {name!r} is no name of a checkpoint, such as 20_1000")
        if isinstance(self.calendar, Epochs):
            return min(int(epoch) * self.calendar.batches, self.calendar.total)
        return int(epoch)

    def file(self, name: str, which: str) -> Path:
        """Where a network is saved."""
        return self.folder / (f"{name}_{which}.pth" if self.old else f"{name}-{which}.ckpt")

    # --- the loop -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """All steps that are left, if any is."""
        opt = self.opt
        self.say(listing(opt))
        self.prepare()
        if self.step >= self.calendar.total:
            self.say(f"Nothing is left to train: step {self.step} of {self.calendar.total} is done.")
            return
        self.open_folders()
        self.tell(
            f"Training on {sum(len(s.dataset) for s in self.sources):,} pictures, {describe(self.device, self.dtype)}."
        )
        self.samples = self.take_samples()
        self.trainer.parallelize()
        if not self.old:
            self.say("Start training...")
        self.began = time.time()
        folder = self.log_folder if self.processes.first else None
        with Progress(self.calendar.total, self.step, folder, self.has_board()) as self.progress:
            with StopBetweenSteps() as stopping:
                self.run_steps(stopping)

    def has_board(self) -> bool:
        """Whether TensorBoard's files are to be written; without the package training goes on."""
        wanted = self.opt.use_tensorboard
        if wanted and importlib.util.find_spec("tensorboard") is None:
            self.tell("TensorBoard is not installed (pip install tensorboard): training goes on without it.")
            return False
        return wanted

    def run_steps(self, stopping: StopBetweenSteps) -> None:
        """All steps that are left. Ctrl-C saves and ends; the run can be continued to the bit."""
        try:
            self.trainer.set_rates(*self.rates(self.calendar.moment(self.step + 1).decays_before))
            while self.step < self.calendar.total:
                moment, self.saved = self.calendar.moment(self.step + 1), False
                self.run_step(moment)
                self.step = moment.step
                if self.processes.anyone(stopping.asked):
                    stopping.asked = True
                    stopping.check()
            if not self.saved:
                self.save(moment)
        except StoppedBetweenSteps:
            if self.step == self.calendar.total:
                self.save(moment)
            elif not self.saved:
                self.save_state(moment)
            named = "--pretrained_model" if self.old and self.opt.pretrained_model else "--resume_iters"
            how = f"--resume in place of {named}" if self.resumed_name() else "--resume"
            self.tell(f"Saved after step {self.step}; the same command with {how} goes on from here.")
            raise

    def run_step(self, moment: Moment) -> None:
        """A step, and what follows it."""
        opt = self.opt
        update_G = moment.counter % opt.n_critic == 0
        batches = [self.make_batch(feed, moment.step, number) for number, feed in enumerate(self.feeds)]
        if moment.step <= opt.warmup_iters:
            found = [self.trainer.copy_step(batch) for batch in batches]
            found = [self.merge(found)] if self.old else found
        elif self.old:
            penalized = 0 if len(batches) == 1 or moment.counter % 2 == 0 else 1
            found = [self.merge(self.trainer.step(batches, update_G, penalized))]
        else:
            found = [self.trainer.step([batch], update_G)[0] for batch in batches]
        self.report_problems()
        self.progress.update()
        if moment.counter % opt.log_step == 0:
            self.log(moment, found, batches)
        if moment.counter % opt.sample_step == 0:
            self.write_samples(moment)
        if moment.counter % opt.model_save_step == 0:
            self.save(moment)
        if moment.decays != moment.decays_before:
            g_lr, d_lr = self.rates(moment.decays)
            self.trainer.set_rates(g_lr, d_lr)
            how = "Decay learning rate to" if self.old else "Decayed learning rates,"
            self.say(f"{how} g_lr: {g_lr}, d_lr: {d_lr}.")

    def make_batch(self, feed: Feed, step: int, number: int) -> Batch:
        """A batch on the device, with what is drawn at random for it.

        The draws depend on seed and step alone, and are made for the batches of all processes together: each takes its
        part. So a run in two processes is one with the whole batch in one process, but for rounding.
        """
        batch = feed.next(step)
        labels = distributed.all_gather(batch["label"].to(self.device), self.processes)
        generator = torch.Generator().manual_seed(mixed(self.seed, step, number))
        permuted = labels[torch.randperm(len(labels), generator=generator)]  # drawn before alpha, as in the reference
        alpha = torch.rand(len(labels), 1, 1, 1, generator=generator)
        share = len(batch["x"])
        mine = slice(self.processes.rank * share, (self.processes.rank + 1) * share)
        x = batch["x"].to(self.device, non_blocking=True)
        return Batch(feed.source.domain, x, labels[mine], permuted[mine], alpha[mine].to(self.device))

    def merge(self, found: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        """The 2017 version logs the sums of both data sets' losses as one."""
        return {
            name: sum(losses[name] for losses in found if name in losses)
            for name in LOSSES
            if any(name in f for f in found)
        }

    def report_problems(self) -> None:
        """Name, once each, the files that could not be read."""
        for feed in self.feeds:
            for problem in feed.loader.new_problems():
                tell(f"Skipped: {problem}")

    # --- showing --------------------------------------------------------------------------------------------------

    def log(self, moment: Moment, found: list[dict[str, Tensor]], batches: list[Batch]) -> None:
        """Losses on stdout, in losses.csv and on the board: a line for each data set."""
        for losses, batch in zip(found, batches, strict=False):
            names = [name for name in LOSSES if name in losses]
            values = self.processes.mean(float(losses[name]) for name in names)
            values = dict(zip(names, values, strict=True))
            check_finite(values, ADVICE)
            if not self.processes.first:
                continue
            domain, several = batch.domain, len(self.sources) > 1 and not self.old
            if self.old and len(batches) == 1 and "D/loss_cls" in losses:
                self.say(printing.accuracy_line(domain, self.trainer.out_cls, batch.labels))
            parts = [f"Elapsed [{self.elapsed()}]", moment.where, *([f"Dataset [{domain.name}]"] if several else [])]
            self.say(", ".join([*parts, *(f"{name}: {value:.4f}" for name, value in values.items())]))
            self.progress.report(moment.step, values, LOSSES, **({"dataset": domain.name} if several else {}))

    def elapsed(self) -> str:
        """The time since training began, as the reference prints it; the current version leaves fractions out."""
        passed = datetime.timedelta(seconds=time.time() - self.began)
        if self.old:
            return str(passed)
        return (
            str(passed)[:-7]
            if self.opt.reference_exact
            else str(datetime.timedelta(seconds=int(passed.total_seconds())))
        )

    def take_samples(self) -> dict:
        """The pictures of every sample sheet: the first batch, in the 2017 version the first three or four. Only the
        first process makes sheets, and of its own share."""
        feed = self.feeds[0]
        if not self.old:
            return next(iter(feed.loader.epoch(1)))
        batches = []
        for batch in feed.loader.epoch(0):
            batches.append(batch)
            if len(batches) == OLD_SAMPLE_BATCHES[self.opt.dataset]:
                break
        return {name: torch.cat([batch[name] for batch in batches]) for name in ("x", "label")}

    def write_samples(self, moment: Moment) -> None:
        """The reference's sheet, and one with titles on the board and as the newest of its kind."""
        if not self.processes.first:
            return
        opt, folder, samples = self.opt, Path(self.opt.sample_dir), self.samples
        targets = sheet_targets(self.sources, samples["label"], self.old)
        columns = sheets.translate_all(distributed.bare(self.trainer.G), samples["x"], targets)
        path = folder / (f"{moment.name}_fake.png" if self.old else f"{moment.name}-images.jpg")
        sheets.write_plain(path, columns)
        rows = sheets.describe_labels(self.sources[0].domain, samples["label"])
        sheet = sheets.titled_sheet(columns, ["input", *(title for title, _ in targets)], rows)
        sheets.write_image(folder / "latest-sheet.jpg", sheet)
        self.progress.image(moment.step, "samples", sheet)
        self.say(
            f"Translated images and saved into {opt.sample_dir}..!"
            if self.old
            else f"Saved real and fake images into {path}..."
        )

    # --- saving ---------------------------------------------------------------------------------------------------

    def open_folders(self) -> None:
        """Make the folders, and put aside what an earlier training left in them that this one would overwrite."""
        with self.processes.first_writes("the folders"):
            if self.processes.first:
                self.prepare_folders()

    def prepare_folders(self) -> None:
        """The same, in the first process."""
        opt = self.opt
        places = self.folder, self.log_folder, Path(opt.sample_dir)
        for folder in (*places, Path(opt.result_dir)):
            ensure_folder(folder)
            training_state.remove_leftovers(folder)
        if self.step == 0:
            if place := training_state.set_aside(*places):
                tell(f"An earlier training is kept in {place}; --resume would have gone on with it.")
        elif self.alone:
            done = self.step // self.calendar.batches if isinstance(self.calendar, Epochs) else self.step
            if place := training_state.set_later_aside(*places, done):
                tell(f"What came later in that training is kept in {place}.")
        forget_rows_after(self.log_folder / "losses.csv", self.step)
        notes.write(self.folder, notes.Notes.of(opt, self.sources))

    def save(self, moment: Moment) -> None:
        """Write the networks under the step's name, and the state."""
        with self.processes.first_writes("the networks"):
            if self.processes.first:
                self.check_weights()
                for name, network in self.trainer.networks().items():
                    save_state(self.file(moment.name, name), network.state_dict())
        self.save_state(moment)
        self.saved = True
        if not self.old:
            self.say(f"Saved model checkpoints into {self.opt.model_save_dir}...")

    def save_state(self, moment: Moment) -> None:
        """Write what a later run can go on from; the networks and optimisers are the same in all processes."""
        with self.processes.first_writes("the training's state"):
            if self.processes.first:
                self.check_weights()
                more = {"batches": len(self.feeds[0].loader), "forgotten": self.forgotten}
                training_state.save(self.folder, self.trainer, moment, self.seed, self.settings(), more)

    def check_weights(self) -> None:
        """RunError where weights are no numbers any more: they are not to replace good ones."""
        names = broken(self.trainer.networks())
        if names:
            raise RunError(f"the weights of {' and '.join(names)} are no numbers any more and are not saved; {ADVICE}")
