"""Training by the command line: what it leaves, in the reference's forms, and how wrong settings are answered."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from conftest import golden_file
from PIL import Image
from runs import command, last_error, losses, names, run_in, train
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from legacy import build, read_networks, write_pickle
from run_log import parse_ticks
from shared_scripts import memory
from shared_scripts.testing import write_pictures


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A whole training with labels."""
    place = tmp_path_factory.mktemp("run")
    assert train(command(place, "--preset cond --network_snapshot_ticks 2 --mirror_augment TRUE")) == 0
    return run_in(place)


def test_a_run_s_folder_has_the_reference_s_files(run):
    assert names(run) == sorted(
        ["_training-done.txt", "config.txt", "events", "fakes000000.png", "log.txt", "losses.csv"]
        + ["network-final.pkl", "network-snapshot-000000.pkl", "reals.png", "training-state.pt"]
    )
    assert run.name == "000-pgan-tinyrgb-preset-v2-1gpu-fp32-cond"


def test_the_log_is_the_reference_s(run):
    ours = (run / "log.txt").read_text()
    theirs = golden_file("sample_run/log.txt").read_text()

    def start(text: str) -> list[str]:
        lines = [line for line in text.splitlines() if not line.startswith(("Building ", "Training on ", "Saving "))]
        return lines[: lines.index("Training...") + 1]

    assert start(ours) == start(theirs)
    ticks, expected = parse_ticks(ours), parse_ticks(theirs)
    assert [tick["lod"] for tick in ticks] == [tick["lod"] for tick in expected][: len(ticks)] and len(ticks) == 5
    times = r"time \d+s +sec/tick \d+\.\d +sec/kimg \d+\.\d\d +maintenance \d+\.\d"
    line = next(line for line in ours.splitlines() if line.startswith("tick 1 "))
    assert re.fullmatch(r"tick 1     kimg 0\.0      lod 2\.00  minibatch 4    " + times, line), line


def test_pictures_of_the_run(run):
    for name in ("reals.png", "fakes000000.png"):
        with Image.open(run / name) as image:
            assert image.size == (4 * 16, 2 * 16) and image.mode == "RGB"


def test_the_networks_are_as_they_were_trained(run):
    G, D, Gs = read_networks(run / "network-final.pkl")
    assert (G.name, D.name, Gs.name) == ("G", "D", "Gs") and Gs.lod == 0.0
    assert G.options["label_size"] == 5 and D.options["fmap_max"] == 8
    assert not np.array_equal(G.variables["4x4/Dense/weight"], Gs.variables["4x4/Dense/weight"])
    assert build(Gs).resolution == 16


def test_losses_are_written_a_row_a_tick(run):
    rows = losses(run)
    assert [row["step"] for row in rows] == ["32", "64", "96", "128", "160"]
    assert all(np.isfinite(float(value)) for row in rows for value in row.values())
    assert {"Loss/real_scores", "Loss/mixed_norms", "Loss/label_penalty_fakes", "Loss/G"} <= rows[0].keys()


def read_events(folder: Path) -> EventAccumulator:
    """What TensorBoard shows of a run."""
    events = EventAccumulator(str(folder))
    events.Reload()
    return events


def test_learning_rates_fall_at_the_end_and_histograms_are_drawn_where_that_is_asked_for(tmp_path):
    assert train(command(tmp_path, "--lrate_decay_kimg 0.08 --save_weight_histograms TRUE")) == 0
    events = read_events(run_in(tmp_path))
    rates = [event.value for event in events.Scalars("TrainG/learning_rate")]
    # asked at 16, 48, 80, 112 and 144 of 160 pictures: 0.4 and 0.8 of the way to a twentieth
    assert rates == pytest.approx([0.001, 0.001, 0.001, 0.001 * (1 - 0.95 * 0.4), 0.001 * (1 - 0.95 * 0.8)])
    (first, *_) = events.Histograms("Gs/4x4/Conv/weight")
    assert first.histogram_value.num == 8 * 8 * 9 and abs(first.histogram_value.min) > 0.5


def test_tensorboard_gets_the_reference_s_names(run):
    events = read_events(run)
    tags = set(events.Tags()["scalars"])
    assert {"Loss/epsilon_penalty", "Progress/lod", "Progress/minibatch", "Timing/sec_per_kimg"} <= tags
    assert {"Timing/total_days", "TrainG/learning_rate", "TrainD/overflow_frequency"} <= tags
    assert [event.step for event in events.Scalars("Progress/kimg")] == [32, 64, 96, 128, 160]
    assert [round(event.value, 2) for event in events.Scalars("Progress/lod")] == [2.0, 1.5, 1.0, 0.5, 0.0]


def test_runs_are_numbered(tmp_path):
    for _ in range(2):
        assert train(command(tmp_path, "--total_kimg 0.016")) == 0
    assert [path.name[:3] for path in sorted(tmp_path.iterdir())] == ["000", "001"]


def test_a_folder_of_pictures_is_trained_on_and_a_bad_one_named(tmp_path, capsys):
    write_pictures(tmp_path / "mine", 5, (20, 24))
    (tmp_path / "mine" / "broken.png").write_bytes(b"no picture")
    flags = command(tmp_path / "results", "--total_kimg 0.016 --resolution 8")
    flags[1] = str(tmp_path / "mine")
    assert train(flags) == 0
    assert "broken.png" in capsys.readouterr().err
    assert run_in(tmp_path / "results").name.startswith("000-pgan-mine")


def test_an_original_s_config_file_is_honoured(tmp_path):
    config = tmp_path / "config.py"
    config.write_text(
        f"""
class EasyDict(dict):
    pass

data_dir = {str(golden_file("datasets"))!r}
result_dir = {str(tmp_path / "results")!r}
desc = 'pgan'
num_gpus = 1
random_seed = 1000
dataset = EasyDict()
train = EasyDict(func='train.train_progressive_gan')
G = EasyDict(func='networks.G_paper')
D = EasyDict(func='networks.D_paper')
G_opt = EasyDict(beta1=0.0, beta2=0.99, epsilon=1e-8)
D_opt = EasyDict(beta1=0.0, beta2=0.99, epsilon=1e-8)
G_loss = EasyDict(func='loss.G_wgan_acgan')
D_loss = EasyDict(func='loss.D_wgangp_acgan')
sched = EasyDict()
grid = EasyDict(size='1080p', layout='random')
desc += '-tinygray'; dataset = EasyDict(tfrecord_dir='tinygray'); train.mirror_augment = False
G.fmap_base = D.fmap_base = 32; G.fmap_max = D.fmap_max = 8
sched.minibatch_base = 3; sched.lod_training_kimg = sched.lod_transition_kimg = 0.006
train.total_kimg = (2*2+1)*0.006
"""
    )
    assert train(["--config", str(config), "--device", "cpu"]) == 0
    run = run_in(tmp_path / "results")
    assert run.name == "000-pgan-tinygray" and (run / "network-final.pkl").is_file()
    assert read_networks(run / "network-final.pkl")[0].options["num_channels"] == 1


def test_the_reference_s_ways_to_vary_all_train(tmp_path):
    switches = "nopixelnorm,nowscale,noleakyrelu,nosmoothing,norepeat,noreset"
    assert train(command(tmp_path, f"--preset {switches} --fused_scale FALSE --wgan_target 750")) == 0
    G, _, Gs = read_networks(run_in(tmp_path) / "network-final.pkl")
    assert "8x8/Conv0/weight" in G.variables and not G.options["use_wscale"]
    last = {name: np.abs(G.variables[name] - Gs.variables[name]).max() for name in ("4x4/Conv/weight", "lod")}
    assert 0 < last["4x4/Conv/weight"] < 0.01, "without smoothing the average is G before its last step"


# --- what is wrong is told in one line ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flags, expected",
    [
        ("--minibatch_dict 4:6", "6 at 4x4 cannot be divided into groups of 4"),
        ("--fmap_base 7", "fmap_base 7 is too small"),
        ("--resolution 64", "up to 16x16, not 64"),
        ("--resume", "there is no run 'pgan-tinyrgb-preset-v2-1gpu-fp32'"),
        ("--resume_run_id 7", "there is no run 7"),
        ("--grid.layout row_per_class", "needs labels"),
        ("--fmap_base 0", "fmap_base"),
        ("--total_kimg -1", "total_kimg"),
        ("--sched.minibatch_bass 3", "minibatch_bas"),
        ("--preset v9-1gpu", "v9-1gpu"),
    ],
)
def test_wrong_settings(tmp_path, capsys, flags, expected):
    assert train(command(tmp_path / "results", flags)) == 2
    assert expected in last_error(capsys)
    assert not list(tmp_path.glob("results/*"))


@pytest.mark.parametrize(
    "flags, expected",
    [
        ("--minibatch_base 400000", "a minibatch of 400000 at 4x4"),
        ("--fmap_base 99999 --fmap_max 9999", "networks of these settings"),
        ("--grid.size 9999x9999", "sheets of 9999x9999 pictures"),
    ],
)
def test_what_the_memory_cannot_hold_is_told_before_it_is_used(tmp_path, capsys, monkeypatch, flags, expected):
    monkeypatch.setattr(memory, "available_memory", lambda: 10**9)
    monkeypatch.setattr(memory, "granted", 0.0)
    assert train(command(tmp_path / "results", "--minibatch_dict {}", flags)) == 2
    assert f"not enough memory for {expected}" in last_error(capsys)
    assert not list(tmp_path.glob("results/*"))


def test_what_is_not_trained_is_not_checked(tmp_path):
    """No minibatch of 6 at 4x4 where training begins at 8x8. The Adam of whole numbers is one, too."""
    flags = "--minibatch_dict 4:6,8:4,16:4 --lod_initial_resolution 8 --beta2 0 --total_kimg 0.016"
    assert train(command(tmp_path, flags)) == 0


def test_a_schedule_for_several_gpus_in_one_process_is_noted(tmp_path, capsys):
    assert train(command(tmp_path, "--num_gpus 4 --total_kimg 0.004 --minibatch_repeats 1")) == 0
    assert "torchrun --nproc_per_node 4 train.py" in capsys.readouterr().err


def test_going_on_from_networks_of_other_sizes(tmp_path, capsys):
    assert train(command(tmp_path, "--total_kimg 0.016")) == 0
    capsys.readouterr()
    assert train(command(tmp_path, "--resume_run_id 0 --fmap_max 16")) == 2
    assert "legacy.py show" in last_error(capsys)


def test_a_loss_that_is_no_number_ends_the_run(tmp_path, capsys):
    assert train(command(tmp_path, "--total_kimg 0.016")) == 0
    networks = read_networks(run_in(tmp_path) / "network-final.pkl")
    networks.D.variables["4x4/Dense1/weight"] *= np.float32(1e38)
    write_pickle(tmp_path / "wild.pkl", *networks)
    capsys.readouterr()
    assert train(command(tmp_path, f"--resume_run_id {tmp_path / 'wild.pkl'}")) == 1
    assert "no number any more" in last_error(capsys)


def test_nothing_in_the_data(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert train(["--data", str(tmp_path / "empty"), "--result_dir", str(tmp_path / "results")]) == 2
    assert "empty" in last_error(capsys)
