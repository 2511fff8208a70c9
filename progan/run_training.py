"""The training loop. Around it: `schedule.py` says when what is trained, `feed.py` has the batches, `training.py` a
step, `reports.py` what is told, `snapshots.py` and `training_state.py` what is kept."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import torch

import room
import training_state
from beginning import DONE, find_beginning
from feed import Feed
from means import Means
from network_options import discriminator_options, generator_options, static_kwargs
from network_table import network_table
from networks import Discriminator, Generator
from reports import Ticks, add_histograms, columns, memory_text, open_progress
from run_data import open_training_data
from run_log import Log
from schedule import Schedule, Stage
from settings import write_config
from shared_scripts import distributed
from shared_scripts.cli import StopBetweenSteps, StoppedBetweenSteps, UserError
from shared_scripts.devices import describe, explain_out_of_memory, pick_device, pick_precision
from shared_scripts.distributed import Processes
from shared_scripts.memory import keep_memory
from shared_scripts.progress import forget_rows_after, tell
from snapshots import SnapshotGrid
from training import LossSettings, Trainer

LAST_RATE = 0.05  # what lrate_decay_kimg leaves of the learning rates
SAVE_SECONDS = 600  # a tick can be hours: what a crash may cost
ADVICE = "take a smaller --minibatch_base or max_minibatch_per_gpu, --fmap_base or --resolution"


def train_progressive_gan(settings: dict, log: Log) -> int:
    """Train as the settings say; returns the exit status. `log` becomes the run's log.txt."""
    processes = distributed.start(on_cuda=distributed.wants_cuda(settings["device"], settings["gpu_ids"]))
    try:
        with explain_out_of_memory(ADVICE), distributed.explain_lost_process():
            Training(settings, processes, log).run()
    finally:
        distributed.stop()
    return 0


class Training:
    """One run of training."""

    def __init__(self, settings: dict, processes: Processes, log: Log):
        self.settings, self.processes, self.log = settings, processes, log
        self.train = settings["train"]
        keep_memory()
        several = processes.world > 1
        self.device = (processes.device if several else pick_device)(settings["device"], settings["gpu_ids"])
        self.dtype = processes.from_first(self.pick_dtype())
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = True  # pictures keep their size for long
        self.schedule = Schedule(**settings["sched"])
        self.saved_at = time.monotonic()

    def pick_dtype(self) -> torch.dtype:
        """The convolutions' number format. The reference's float16 becomes bfloat16, which needs no loss scaling."""
        name = self.settings["precision"]
        half = "float16" in (self.settings["G"].get("dtype"), self.settings["D"].get("dtype"))
        return pick_precision("auto" if name is None and half else name or "float32", self.device, 128, 32)

    # --- getting ready --------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Data, networks, and what is gone on from. Nothing is written: the settings may still be wrong."""
        settings = self.settings
        self.beginning = find_beginning(settings)
        self.dataset = open_training_data(settings, self.say)
        self.check_minibatches()
        self.say("Constructing networks...")
        G, D = self.make_networks()
        if self.device.type == "cpu":
            for level, size in self.minibatches():
                room.check_minibatch(D, size, level, self.dtype)
        self.trainer = self.make_trainer(G, D)
        self.feed = self.open_feed(G.latent_size)
        self.means = Means()
        self.beginning.apply(self.trainer, self.feed, self.means)
        self.place = self.beginning.place
        for name, network in (("G", G), ("D", D)):
            self.say(network_table(name, network))
        self.say("Setting up snapshot image grid...")
        self.grid = SnapshotGrid(self.dataset, G.latent_size, settings["random_seed"], **settings["grid"])

    def make_networks(self) -> tuple[Generator, Discriminator]:
        """Both networks with fresh weights, the same in all processes. UserError where the settings make none."""
        G_options = generator_options(self.settings["G"], self.dataset)
        D_options = discriminator_options(self.settings["D"], self.dataset)
        try:
            if self.device.type == "cpu":
                room.check_networks(G_options, D_options)
            torch.manual_seed(self.settings["random_seed"])
            G, D = Generator(**G_options), Discriminator(**D_options)
        except (ValueError, TypeError, RuntimeError) as problem:
            raise UserError(f"the settings of G and D make no network: {problem}") from problem
        for network in (G, D):
            network.to(memory_format=torch.channels_last)
        return G, D

    def make_trainer(self, G: Generator, D: Discriminator) -> Trainer:
        """The networks with their optimisers and losses."""
        settings, train = self.settings, self.train
        D_loss = {k: v for k, v in settings["D_loss"].items() if k != "func"}
        losses = LossSettings(**D_loss, G_cond_weight=settings["G_loss"].get("cond_weight", 1.0))
        options = {"G_smoothing": train["G_smoothing"], "keep_moments": not train["reset_opt_for_new_lod"]}
        adam = {"G_adam": settings["G_opt"], "D_adam": settings["D_opt"]}
        return Trainer(G, D, None, self.device, self.dtype, losses, **adam, **options)

    def open_feed(self, latent_size: int) -> Feed:
        """The batches."""
        settings, train = self.settings, self.train
        in_order = settings["dataset"].get("shuffle_mb", 4096) == 0
        about = {"mirror": train["mirror_augment"], "in_order": in_order, "drange_net": tuple(train["drange_net"])}
        return Feed(self.dataset, latent_size, settings["random_seed"], self.device, self.processes, **about)

    def minibatches(self) -> Iterator[tuple[int, int]]:
        """The levels (log2 of the resolution) that are trained, and how many pictures a process takes at each."""
        first = min(int(math.log2(self.schedule.lod_initial_resolution)), self.dataset.levels)
        for level in range(first, self.dataset.levels + 1):
            yield level, self.schedule.minibatch(2**level, self.processes.world) // self.processes.world

    def check_minibatches(self) -> None:
        """UserError where a minibatch of the schedule cannot be divided into the groups of minibatch_stddev."""
        group = self.settings["D"].get("mbstd_group_size", 4)
        for level, size in self.minibatches():
            if size < 1:
                raise UserError(f"the minibatch at {2**level}x{2**level} is less than one picture a process")
            if group > 1 and size > group and size % group:
                raise UserError(
                    f"the minibatch of {size} at {2**level}x{2**level} cannot be divided into groups of {group}: "
                    "change --minibatch_base, --minibatch_dict or --D.mbstd_group_size"
                )

    def make_folder(self) -> None:
        """The run's folder with its first files; or the old one, where an earlier process of this run left it."""
        self.say("Setting up result dir...")
        self.folder = self.beginning.make_folder(self.settings)
        self.log.open(self.folder / "log.txt", append=self.beginning.same_folder)
        if not self.log.keep_others_out():
            raise UserError(f"another process trains in {self.folder}; stop it first, or begin anew without --resume")
        self.say(f"Saving results to {self.folder}")
        training_state.remove_leftovers(self.folder)
        if self.beginning.same_folder:
            forget_rows_after(self.folder / "losses.csv", self.place.nimg)
            (self.folder / DONE).unlink(missing_ok=True)
            return
        write_config(self.folder, self.settings)
        self.grid.save_reals(self.folder)
        self.save_fakes(self.stage())

    # --- the loop -------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """All steps that are left, if any is."""
        self.prepare()
        place, processes = self.place, self.processes
        if processes.from_first(self.beginning.is_finished() and self.done()):
            tell(f"Nothing is left to train: {place.nimg / 1000:.1f} of {self.train['total_kimg']} kimg are done.")
            return
        with processes.first_writes("the run's folder"):
            if processes.first:
                self.make_folder()
        self.beginning.tell()
        if processes.first:
            tell(f"Training on {len(self.dataset):,} pictures, {describe(self.device, self.dtype)}.")
            wanted = self.settings["num_gpus"]
            if wanted > 1 and processes.world == 1:
                tell(
                    f"One process, though num_gpus is {wanted}; for all: torchrun --nproc_per_node {wanted} train.py …"
                )
        self.trainer.parallelize()
        self.say("Training...")
        self.ticks = Ticks(place, processes, self.means)
        folder = self.folder if processes.first else None
        with (
            open_progress(folder, self.train["total_kimg"], place.nimg) as self.progress,
            StopBetweenSteps() as stopping,
        ):
            self.run_steps(stopping)
        if processes.first:
            (self.folder / DONE).touch()

    def run_steps(self, stopping: StopBetweenSteps) -> None:
        """All steps that are left. Ctrl-C saves and ends; the run can be continued to the bit."""
        self.ticks.start()
        try:
            while self.place.repeat or not self.done():
                self.run_repeat()
                if self.place.repeat == 0 and self.tick_is_over():
                    self.end_tick()
                if self.processes.anyone(stopping.asked):
                    stopping.asked = True
                    stopping.check()
        except StoppedBetweenSteps:
            self.save_state()
            if self.processes.first:
                tell(f"Saved at {self.place.nimg / 1000:.1f} kimg; the same command with --resume goes on from here.")
            raise
        self.save_networks("network-final")

    def done(self) -> bool:
        """Whether all pictures have been shown."""
        return self.place.nimg >= self.train["total_kimg"] * 1000

    def stage(self) -> Stage:
        """The schedule for the steps that are to come: asked anew when all repeats are done."""
        if self.place.repeat == 0:
            self.place.stage_nimg = self.place.nimg
        return self.last_stage()

    def last_stage(self) -> Stage:
        """The schedule for the steps that were made last."""
        return self.schedule.at(self.place.stage_nimg, self.dataset.resolution, self.processes.world)

    def run_repeat(self) -> None:
        """The discriminator's steps, and one of the generator; `minibatch_repeats` of these share an entry."""
        stage, trainer, train = self.stage(), self.trainer, self.train
        self.enter(stage)
        level = int(math.log2(stage.resolution))
        for _ in range(train["D_repeats"]):
            terms = trainer.step_D(self.feed.batch(stage.minibatch, level, stage.lod), stage.lod)
            trainer.average()  # before the generator's step: the average lags by one, as in the reference
            self.means.add(terms)
            self.place.nimg += stage.minibatch
            self.progress.advance(stage.minibatch)
        loss = trainer.step_G(*self.feed.for_generator(stage.minibatch), stage.lod)
        self.means.add({"G": loss})
        self.place.repeat = (self.place.repeat + 1) % train["minibatch_repeats"]

    def enter(self, stage: Stage) -> None:
        """Bring the trainer to the schedule's entry. When layers come in, and when they are faded in whole, Adam begins
        anew: its slopes' sizes were of another network."""
        trainer, now = self.trainer, (math.floor(stage.lod), math.ceil(stage.lod))
        if self.place.stage != now:
            if self.train["reset_opt_for_new_lod"] or self.place.stage is None:
                trainer.reset_optimizers()
            self.place.stage = now
        trainer.set_lod(stage.lod)
        share = self.rate_share()
        trainer.set_rates(stage.G_lrate * share, stage.D_lrate * share)
        trainer.smoothing = self.train["G_smoothing"]
        if self.train.get("adjust_smoothing"):
            trainer.smoothing **= stage.minibatch / 16

    def rate_share(self) -> float:
        """The share of the schedule's learning rates: 1, and with lrate_decay_kimg falling to `LAST_RATE`."""
        start, end = self.train.get("lrate_decay_kimg"), self.train["total_kimg"]
        kimg = self.place.stage_nimg / 1000
        if start is None or kimg <= start or end <= start:
            return 1.0
        return max(LAST_RATE, 1 - (1 - LAST_RATE) * (kimg - start) / (end - start))

    # --- between the steps ----------------------------------------------------------------------------------------

    def tick_is_over(self) -> bool:
        """Whether it is time for a line."""
        return self.done() or self.place.nimg >= self.place.tick_nimg + self.last_stage().tick_kimg * 1000

    def end_tick(self) -> None:
        """A line, and every few ticks pictures and networks."""
        stage = self.last_stage()
        line, numbers = self.ticks.end(stage, self.trainer)
        if self.processes.first:
            self.progress.write(line + memory_text(self.device))
            self.progress.report(self.place.nimg, numbers, columns(self.dataset.label_size))
            if self.train["save_weight_histograms"]:
                add_histograms(self.progress, self.place.nimg, self.trainer)
        tick, done = self.place.tick, self.done()
        if done or tick % self.train["image_snapshot_ticks"] == 0:
            self.save_fakes(stage)
        if done or tick % self.train["network_snapshot_ticks"] == 0:
            self.save_networks(f"network-snapshot-{self.place.nimg // 1000:06d}")
        elif time.monotonic() - self.saved_at > SAVE_SECONDS:
            self.save_state()
        self.ticks.start()

    def save_fakes(self, stage: Stage) -> None:
        """The grid of pictures as the averaged generator makes them now."""
        if self.processes.first:
            drange = tuple(self.train["drange_net"])
            self.grid.save_fakes(self.folder, self.place.nimg // 1000, self.trainer.Gs, stage.lod, drange)

    def save_networks(self, name: str) -> None:
        """All three networks in the reference's format, and the state to go on from."""
        with self.processes.first_writes(name):
            if self.processes.first:
                about = {kind: static_kwargs(self.settings[kind], self.dataset) for kind in ("G", "D")}
                self.beginning.write_networks(self.folder / f"{name}.pkl", self.trainer.networks(), about)
        self.save_state()

    def save_state(self) -> None:
        """The state to go on from."""
        self.place.seconds = self.ticks.seconds()
        with self.processes.first_writes("the training's state"):
            if self.processes.first:
                kept = self.beginning.kept(self.settings)
                training_state.save(self.folder, self.trainer, self.feed, self.place, self.means, kept)
        self.saved_at = time.monotonic()

    def say(self, line: str) -> None:
        """One of the reference's lines, once."""
        if self.processes.first:
            print(line, flush=True)
