"""The training loop. Around it: `feeds.py` has the batches, `training.py` a step, `reports.py` what is shown,
`resuming.py` and `training_state.py` how a training goes on."""

from __future__ import annotations

import argparse
import secrets
from pathlib import Path

import torch
from torch import Tensor

import notes
import printing
import resuming
import training_state
from feeds import Feeds
from footprint import check_training
from networks import Discriminator, Generator
from options import listing
from reports import ADVICE, Reporter
from schedules import OLD_MULTI_EVERY, Epochs, Iterations, Moment, decayed
from shared_scripts import distributed
from shared_scripts.checkpoints import save_state
from shared_scripts.cli import RunError, StopBetweenSteps, StoppedBetweenSteps
from shared_scripts.devices import describe, explain_out_of_memory, pick_device, pick_precision, seed_everything
from shared_scripts.distributed import Processes
from shared_scripts.files import check_writable, ensure_folder
from shared_scripts.memory import keep_memory
from shared_scripts.progress import forget_rows_after, tell
from shared_scripts.weights import broken
from sources import label_dims, open_sources
from training import LOSSES, Batch, Trainer


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


class Training:
    """One run of training."""

    def __init__(self, opt: argparse.Namespace, processes: Processes):
        self.opt, self.processes, self.old = opt, processes, opt.variant == "old"
        keep_memory()
        seed_everything(opt.seed)
        self.device = self.pick_device()
        dtype = pick_precision(opt.precision, self.device, 4 * opt.g_conv_dim, max(8, opt.image_size // 4))
        self.dtype = processes.from_first(dtype)  # timed by each: they might differ
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = opt.seed is None
        self.reporter = Reporter(opt, processes)
        self.saved = False  # whether the networks and the state of the last step are on the disk

    def pick_device(self) -> torch.device:
        """The flags' device; of several processes each has a GPU of its own, or the CPU."""
        several = self.processes.world > 1
        return (self.processes.device if several else pick_device)(self.opt.device, self.opt.gpu_ids)

    # --- getting ready --------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Data, networks, and what is gone on from. Nothing is written: the flags may still be wrong."""
        opt = self.opt
        with self.processes.only_first_talks():
            self.sources = open_sources(opt, train=True)
        G, D = self.architectures()
        check_training(self.device, G, D, min(opt.batch_size, len(self.sources[0].dataset)))
        state = resuming.find_state(opt, self.sources)
        given = opt.seed if opt.seed is not None else secrets.randbits(31)
        self.seed = self.processes.from_first(state["seed"] if state and opt.seed is None else given)
        self.feeds = self.open_feeds()
        self.calendar = self.make_calendar()
        torch.manual_seed(self.seed)  # the first weights: the same in all processes
        self.trainer = self.make_trainer()
        self.start = self.find_start(state)
        self.step = self.start.step  # how many are done

    def open_feeds(self) -> Feeds:
        """The batches."""
        return Feeds(self.sources, self.opt, self.seed, self.device, self.processes)

    def architectures(self) -> tuple[dict, dict]:
        """What the generator and the discriminator are made with."""
        opt = self.opt
        labels, logits = label_dims(self.sources)
        G = {"conv_dim": opt.g_conv_dim, "c_dim": labels, "repeat_num": opt.g_repeat_num}
        D = {"image_size": opt.image_size, "conv_dim": opt.d_conv_dim, "c_dim": logits, "repeat_num": opt.d_repeat_num}
        return G, D

    def make_trainer(self) -> Trainer:
        """Both networks with fresh weights."""
        opt, (G, D) = self.opt, self.architectures()
        G, D = Generator(**G), Discriminator(**D)
        for name, network in (("G", G), ("D", D)):
            self.reporter.say(printing.network_text(name, network, self.old))
        weights = {name: getattr(opt, name) for name in ("lambda_cls", "lambda_rec", "lambda_gp", "lambda_id")}
        steps = {"two_steps": self.old, "muon": opt.g_optimizer == "muon"}
        return Trainer(G, D, self.device, self.dtype, opt.g_lr, opt.d_lr, (opt.beta1, opt.beta2), **weights, **steps)

    def make_calendar(self) -> Iterations | Epochs:
        """When what is done."""
        opt = self.opt
        if self.old and opt.dataset != "Both":
            return Epochs(opt.num_epochs, opt.num_epochs_decay, len(self.feeds))
        every = OLD_MULTI_EVERY if self.old else opt.lr_update_step
        return Iterations(opt.num_iters, opt.num_iters_decay, every, "Iter" if self.old else "Iteration")

    def find_start(self, state: dict | None) -> resuming.Start:
        """Put back a saved state; or networks alone, where there is no state for the step that is wanted."""
        name, reporter = resuming.wanted(self.opt), self.reporter
        if state:
            start = resuming.go_on_from_state(state, self.trainer, self.calendar)
            reporter.tell(f"Going on after step {start.step}.")
            return start
        if not name:
            return resuming.Start()
        reporter.say(f"Loading the trained models from step {name}...")
        start = resuming.go_on_from_networks(self.opt, self.trainer, self.calendar)
        reporter.tell("Going on from networks alone: the optimisers begin anew.")
        return start

    def prepare_folders(self) -> None:
        """Make the folders, and put aside what an earlier training left in them that this one would overwrite."""
        opt = self.opt
        places = Path(opt.model_save_dir), Path(opt.log_dir), Path(opt.sample_dir)
        for folder in (*places, Path(opt.result_dir)):
            ensure_folder(folder)
        for folder in places:  # all of them before anything is moved
            check_writable(folder / training_state.FILE)
        for folder in (*places, Path(opt.result_dir)):
            training_state.remove_leftovers(folder)
        if self.step == 0:
            if place := training_state.set_aside(*places):
                tell(f"An earlier training is kept in {place}; --resume would have gone on with it.")
        elif self.start.alone:
            done = self.step // self.calendar.batches if isinstance(self.calendar, Epochs) else self.step
            if place := training_state.set_later_aside(*places, done):
                tell(f"What came later in that training is kept in {place}.")
        forget_rows_after(Path(opt.log_dir) / training_state.LOSSES, self.step)
        notes.write(Path(opt.model_save_dir), notes.Notes.of(opt, self.sources))

    # --- the loop -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """All steps that are left, if any is."""
        reporter = self.reporter
        reporter.say(listing(self.opt))
        self.prepare()
        total = self.calendar.total
        if self.step >= total:
            reporter.say(f"Nothing is left to train: step {self.step} of {total} is done.")
            return
        with self.processes.first_writes("the folders"):
            if self.processes.first:
                self.prepare_folders()
        pictures = sum(len(source.dataset) for source in self.sources)
        reporter.tell(f"Training on {pictures:,} pictures, {describe(self.device, self.dtype)}.")
        self.samples = self.feeds.samples()
        self.trainer.parallelize()
        if not self.old:
            reporter.say("Start training...")
        with reporter.open(total, self.step), StopBetweenSteps() as stopping:
            self.run_steps(stopping)

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
            how = f"--resume in place of {named}" if resuming.wanted(self.opt) else "--resume"
            self.reporter.tell(f"Saved after step {self.step}; the same command with {how} goes on from here.")
            raise

    def run_step(self, moment: Moment) -> None:
        """A step, and what follows it."""
        opt, reporter = self.opt, self.reporter
        batches = self.feeds.batches(moment.step)
        found = self.train_on(batches, moment)
        for problem in self.feeds.new_problems():
            tell(f"Skipped: {problem}")
        reporter.progress.update()
        if moment.counter % opt.log_step == 0:
            reporter.log(moment, found, batches, self.trainer.out_cls)
        if moment.counter % opt.sample_step == 0:
            reporter.show_samples(moment, distributed.bare(self.trainer.G), self.samples, self.sources)
        if moment.counter % opt.model_save_step == 0:
            self.save(moment)
        if moment.decays != moment.decays_before:
            rates = self.rates(moment.decays)
            self.trainer.set_rates(*rates)
            reporter.rates(*rates)

    def train_on(self, batches: list[Batch], moment: Moment) -> list[dict[str, Tensor]]:
        """The updates of a step; returns the losses that are logged: of each batch, or all together."""
        update_G = moment.counter % self.opt.n_critic == 0
        if moment.step <= self.opt.warmup_iters:
            found = [self.trainer.copy_step(batch) for batch in batches]
            return [merged(found)] if self.old else found
        if self.old:
            penalized = 0 if len(batches) == 1 or moment.counter % 2 == 0 else 1
            return [merged(self.trainer.step(batches, update_G, penalized))]
        return [self.trainer.step([batch], update_G)[0] for batch in batches]

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
        g_lr, d_lr, times = self.opt.g_lr, self.opt.d_lr, max(0, times - self.start.forgotten)
        return decayed(g_lr, self.lowered_by(g_lr), times), decayed(d_lr, self.lowered_by(d_lr), times)

    # --- saving ---------------------------------------------------------------------------------------------------

    def save(self, moment: Moment) -> None:
        """Write the networks under the step's name, and the state."""
        with self.processes.first_writes("the networks"):
            if self.processes.first:
                self.check_weights()
                for name, network in self.trainer.networks().items():
                    save_state(resuming.network_file(self.opt, moment.name, name), network.state_dict())
        self.save_state(moment)
        self.saved = True
        if not self.old:
            self.reporter.say(f"Saved model checkpoints into {self.opt.model_save_dir}...")

    def save_state(self, moment: Moment) -> None:
        """Write what a later run can go on from; the networks and optimisers are the same in all processes."""
        with self.processes.first_writes("the training's state"):
            if self.processes.first:
                self.check_weights()
                settings = resuming.settings(self.opt, self.sources)
                more = {"batches": len(self.feeds), "forgotten": self.start.forgotten}
                training_state.save(Path(self.opt.model_save_dir), self.trainer, moment, self.seed, settings, more)

    def check_weights(self) -> None:
        """RunError where weights are no numbers any more: they are not to replace good ones."""
        names = broken(self.trainer.networks())
        if names:
            raise RunError(f"the weights of {' and '.join(names)} are no numbers any more and are not saved; {ADVICE}")


def merged(found: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    """The sums of several data sets' losses: the 2017 version logs them as one."""
    names = [name for name in LOSSES if any(name in losses for losses in found)]
    return {name: sum(losses[name] for losses in found if name in losses) for name in names}
