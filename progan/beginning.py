"""Where a training begins: at nothing, at the state that an earlier process left, or at a snapshot's networks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from torch import nn

import training_state
from feed import Feed
from legacy import read_networks, to_state_dict, write_pickle
from means import Means
from results import create_run, kimg_of, locate_run, locate_snapshot
from shared_scripts.cli import UserError
from shared_scripts.files import file_name, resolve_path
from shared_scripts.progress import tell
from stored import StoredNetwork, from_state_dict
from training import Trainer
from training_state import Place

DONE = "_training-done.txt"
KEPT = ("random_seed",)  # besides the networks and the data, what must be the same for a run to go on


class Beginning:
    """A new training, in a folder of its own. The other ways to begin are below."""

    same_folder = False

    def __init__(self):
        self.place = Place()
        self.sources: dict[str, str] = {}  # what the reference's files hold of program text, to be written again

    def apply(self, trainer: Trainer, feed: Feed, means: Means) -> None:
        """Bring the trainer and the feed to the place."""

    def make_folder(self, settings: dict) -> Path:
        """The run's folder."""
        return create_run(settings["result_dir"], settings["desc"])

    def is_finished(self) -> bool:
        """Whether an earlier process has ended what it was told to do."""
        return False

    def tell(self) -> None:
        """Say what is gone on from."""

    def kept(self, settings: dict) -> dict:
        """What cannot change when the training goes on."""
        return unchanging(settings)

    def write_networks(self, path: Path, networks: Mapping[str, nn.Module], about: Mapping[str, dict]) -> None:
        """All three networks as one file of the reference's format."""
        stored = [self.store(name, network, about) for name, network in networks.items()]
        by_name = dict(zip(networks, stored, strict=True))
        write_pickle(path, by_name["G"], by_name["D"], by_name["Gs"])

    def store(self, name: str, network: nn.Module, about: Mapping[str, dict]) -> StoredNetwork:
        """One of them, as it is stored."""
        kind = name[0]
        options, source = about[kind], self.sources.get(kind, "")
        return from_state_dict(network.state_dict(), kind, options, name, options, source)


class FromState(Beginning):
    """An earlier process's training, which goes on in its folder as if it had never stopped."""

    same_folder = True

    def __init__(self, folder: Path, settings: dict):
        super().__init__()
        self.folder = folder
        self.state = training_state.find(folder, unchanging(settings))
        if self.state is None:
            raise UserError(f"{folder} has no {training_state.FILE} to go on from; --resume_run_id takes its networks")

    def apply(self, trainer: Trainer, feed: Feed, means: Means) -> None:
        with training_state.told(self.folder):
            self.place = training_state.restore(trainer, feed, means, self.state)
        self.state = None  # as large as all the rest

    def make_folder(self, settings: dict) -> Path:
        return self.folder

    def is_finished(self) -> bool:
        return (self.folder / DONE).is_file()

    def tell(self) -> None:
        tell(f"Going on at {self.place.nimg / 1000:.1f} kimg.")


class FromNetworks(Beginning):
    """The networks of a file, as the reference resumes: in a new folder, with the optimisers and the data from their
    beginning, at the kimg that resume_kimg says or the file's name."""

    def __init__(self, path: Path, kimg: float, seconds: float):
        super().__init__()
        self.path = path
        known = kimg_of(path)
        if not kimg and known is None and path.with_name(training_state.FILE).is_file():
            known = training_state.load_state(path.with_name(training_state.FILE), ("place",))["place"]["nimg"] / 1000
        self.place.nimg = int(round((kimg or known or 0.0) * 1000))
        self.place.tick_nimg, self.place.seconds = self.place.nimg, seconds

    def apply(self, trainer: Trainer, feed: Feed, means: Means) -> None:
        stored = dict(zip(("G", "D", "Gs"), read_networks(self.path), strict=True))
        stored["Gs"] = stored["Gs"] or stored["G"]
        for name, network in trainer.networks().items():
            if stored[name] is None:
                raise UserError(f"{self.path} holds no network {name}: training cannot go on from it")
            self.sources[name[0]] = stored[name].build_module_src
            lay_into(network, stored[name], self.path)

    def tell(self) -> None:
        tell(f"Going on from the networks of {self.path} at {self.place.nimg / 1000:.1f} kimg.")


def lay_into(network: nn.Module, stored: StoredNetwork, path: Path) -> None:
    """Put a file's weights into a network. UserError where they are of another one."""
    try:
        network.load_state_dict(to_state_dict(stored))
    except RuntimeError as problem:
        raise UserError(
            f"the networks in {path} are of other settings (resolution, channels, labels, fmap_base, fmap_max, "
            "fused_scale, mbstd_group_size): python legacy.py show tells which"
        ) from problem


def find_beginning(settings: dict) -> Beginning:
    """Where the settings say that training begins. UserError where that is not there."""
    train = settings["train"]
    if settings.get("resume"):
        return FromState(find_folder(settings), settings)
    if train.get("resume_run_id") is not None:
        path = locate_snapshot(train["resume_run_id"], train.get("resume_snapshot"), settings["result_dir"])
        return FromNetworks(path, train.get("resume_kimg", 0.0), train.get("resume_time", 0.0))
    return Beginning()


def find_folder(settings: dict) -> Path:
    """The folder to go on in: the run that is named, or the newest one of this description."""
    named = settings["train"].get("resume_run_id")
    if named is not None:
        return locate_run(settings["result_dir"], named)
    result_dir, name = resolve_path(settings["result_dir"]), file_name(settings["desc"])
    parts = {path: path.name.partition("-") for path in result_dir.iterdir()} if result_dir.is_dir() else {}
    numbered = {path: int(number) for path, (number, _, desc) in parts.items() if desc == name and number.isdecimal()}
    found = [path for path in numbered if (path / training_state.FILE).is_file()]
    if not found:
        raise UserError(f"there is no run {settings['desc']!r} in {result_dir} to go on with; leave out --resume")
    return max(found, key=numbered.get)


def unchanging(settings: dict) -> dict:
    """What cannot change when a training goes on."""
    data = {name: settings["dataset"].get(name) for name in ("tfrecord_dir", "resolution", "max_label_size")}
    return {"G": dict(settings["G"]), "D": dict(settings["D"]), "dataset": data} | {k: settings[k] for k in KEPT}
