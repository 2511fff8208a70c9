"""Whole trainings as the original ran them: the same losses, weights, samples, files and lines.

The batches come from the recording, and so does what was drawn at random; all else is the training as it is run.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
from conftest import load_golden, weights_of
from PIL import Image

import run_training
import sheets
from feeds import Feeds
from options import parse
from shared_scripts.checkpoints import load_state
from shared_scripts.distributed import Processes
from training import LOSSES, Batch

ATTRIBUTES = ("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young")
RUNS = {"train_celeba_10it": 1, "train_rafd_6it": 1, "train_both_4it": 1, "train_old_celeba_2ep": 1}


def write_data(folder, batches: int) -> None:
    """Pictures and an attribute file of as many pictures as there are batches: the training wants to open some."""
    (folder / "images").mkdir()
    rows = []
    for number in range(batches):
        Image.new("RGB", (178, 218)).save(folder / "images" / f"{number}.png")
        rows.append(f"{number}.png " + " ".join(["1"] * len(ATTRIBUTES)))
    (folder / "list.txt").write_text("\n".join([str(batches), " ".join(ATTRIBUTES), *rows]) + "\n")
    for number in range(8):
        (folder / "classes" / str(number)).mkdir(parents=True)
        Image.new("RGB", (64, 64)).save(folder / "classes" / str(number) / "0.png")


def flags(golden: dict, folder) -> list[str]:
    """The recording's settings as a command line."""
    given = {key.removeprefix("cfg/"): value.item() for key, value in golden.items() if key.startswith("cfg/")}
    given = {name: value for name, value in given.items() if name not in ("c_dim", "c2_dim", "gr")}
    given |= {"g_conv_dim": 4, "d_conv_dim": 4, "g_repeat_num": 2, "d_repeat_num": 3, "image_size": 32, "log_step": 1}
    given |= {"celeba_image_dir": folder / "images", "attr_path": folder / "list.txt", "test_images": 1}
    given |= {"rafd_image_dir": folder / "classes", "num_workers": 0, "batch_size": 1, "lr_decay": "reference"}
    given |= {f"{name}_dir": folder / name for name in ("log", "model_save", "sample", "result")}
    return [word for name, value in given.items() for word in (f"--{name}", str(value))]


class RecordedFeeds(Feeds):
    """The recording's batches, and what was drawn for them."""

    golden: dict
    drawn = 0

    def count(self, number: int) -> int:
        """How many batches of a data set were recorded."""
        return sum(re.fullmatch(rf"ds{number + 1}/batch\d+/x", key) is not None for key in self.golden)

    def __len__(self) -> int:
        return self.count(0)

    def recorded(self, number: int, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Batch `index` of a data set, in an order that repeats."""
        place = f"ds{number + 1}/batch{index % self.count(number)}"
        return tuple(torch.from_numpy(np.array(self.golden[f"{place}/{what}"])) for what in ("x", "label"))

    def batch(self, feed, step: int, number: int) -> Batch:
        x, labels = self.recorded(number, step - 1 + feed.ahead)
        perm, alpha = (
            torch.from_numpy(self.golden[f"{what}_in_draw_order_padded_with_-1"][self.drawn, : len(x)])
            for what in ("perm", "alpha")
        )
        self.drawn += 1
        return Batch(feed.source.domain, x, labels, labels[perm], alpha.view(-1, 1, 1, 1))

    def samples(self) -> dict:
        batches = [self.recorded(0, index) for index in range(4 if self.opt.variant == "old" else 1)]
        return dict(zip(("x", "label"), map(torch.cat, zip(*batches, strict=True)), strict=True))


class Replay(run_training.Training):
    """A training whose batches, draws and first weights are the recording's."""

    def __init__(self, opt, golden: dict):
        self.golden, self.logged = golden, []
        super().__init__(opt, Processes())

    def open_feeds(self) -> RecordedFeeds:
        feeds = RecordedFeeds(self.sources, self.opt, self.seed, self.device, self.processes)
        feeds.golden = self.golden
        return feeds

    def find_start(self, state):
        for name, network in self.trainer.networks().items():
            weights = weights_of(self.golden, f"{name}_init/")
            assert weights and not network.load_state_dict(weights, strict=False).unexpected_keys
        return super().find_start(state)

    def train_on(self, batches, moment) -> list[dict]:
        found = super().train_on(batches, moment)
        for losses in found:
            self.logged += [(moment.step, name, float(losses[name])) for name in LOSSES if name in losses]
        return found


@pytest.fixture(params=RUNS)
def run(request, tmp_path, monkeypatch, capsys):
    """(the recording, the finished replay, its sample sheets by name, what it printed)."""
    golden, written = load_golden(request.param), {}
    write_data(tmp_path, 9)
    variant = ["--variant", "old"] if "old" in request.param else []
    opt = parse([*flags(golden, tmp_path), *variant], "train.py")
    write = sheets.write_plain
    monkeypatch.setattr(
        sheets, "write_plain", lambda path, columns: (written.update({path.name: columns}), write(path, columns))
    )
    replay = Replay(opt, golden)
    replay.run()
    return golden, replay, written, capsys.readouterr().out.splitlines()


def test_a_recorded_training(run, tmp_path):
    golden, replay, written, printed = run
    steps, names, values = zip(*replay.logged, strict=True)
    assert list(steps) == golden["loss_log_step"].tolist() and list(names) == golden["loss_log_tag"].tolist()
    assert np.abs(np.array(values) - golden["loss_log_value"]).max() < 1e-5
    check_weights(golden, replay)
    check_samples(golden, written)
    assert sorted(path.name for path in (tmp_path / "model_save").glob("*[GD].*")) == golden["files_written"].tolist()
    last = sorted((tmp_path / "model_save").glob("*G.*"), key=lambda path: path.stat().st_mtime)[-1]
    assert torch.equal(load_state(last)["main.3.weight"], replay.trainer.G.state_dict()["main.3.weight"])
    check_lines(golden, printed)


def check_weights(golden: dict, replay: Replay) -> None:
    """All but the running statistics, which sampling moves in the original, and the middle taps of the label planes'
    kernels, which do nothing and follow rounding noise: see test_networks."""
    compared = 0
    for name, network in replay.trainer.networks().items():
        for key, expected in weights_of(golden, f"{name}_final/").items():
            if "running" in key or "num_batches" in key:
                continue
            difference = (network.state_dict()[key] - expected).abs()
            if (name, key) == ("G", "main.0.weight"):
                difference[:, 3:, 3, 3] = 0
            assert difference.max() < 1e-6, (name, key)
            compared += 1
    assert compared > 30
    moved = (
        (weights_of(golden, "G_init/")["main.3.weight"] - weights_of(golden, "G_final/")["main.3.weight"]).abs().max()
    )
    assert moved > 1e-5  # it did learn


def check_samples(golden: dict, written: dict) -> None:
    recorded = {key.removeprefix("sample/"): value for key, value in golden.items() if key.startswith("sample/")}
    assert {*written} == {*recorded}
    for name, expected in recorded.items():
        found = sheets.to_pixels(torch.cat(written[name], dim=3)).transpose(0, 3, 1, 2)
        assert np.abs(found.astype(int) - expected).max() <= 1, name


def check_lines(golden: dict, printed: list[str]) -> None:
    """The original's lines in the original's order, but for times and folders. Ours come before."""

    def bare(line: str) -> str:
        line = re.sub(r"Elapsed \[[^]]*\]", "Elapsed []", line)
        return re.sub(r"into .*?([\w-]*\.jpg)?\.\.(\.|!)$", r"into \1\2", line)

    expected = [bare(line) for line in golden["stdout_lines"].tolist()]
    found = [bare(line) for line in printed]
    start = found.index(expected[0])
    for a, b in zip(found[start:], expected, strict=True):
        numbers = [re.findall(r"-?\d+\.\d{4}\b", line) for line in (a, b)]
        assert re.sub(r"-?\d+\.\d{4}\b", "#", a) == re.sub(r"-?\d+\.\d{4}\b", "#", b)
        # the last of four decimals may round the other way
        assert np.allclose(*(np.array(n, float) for n in numbers), rtol=0, atol=1.01e-4)
