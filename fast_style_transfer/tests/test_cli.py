"""The command lines: the reference's own run, every flag, pictures of all kinds, everything people get wrong."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import evaluate
import options
import run_training
import style as style_script
from networks import variable_shapes
from shared_scripts import cli as shared_cli
from shared_scripts.checkpoints_tf import save_checkpoint
from shared_scripts.cli import UserError

PROJECT = Path(__file__).resolve().parent.parent
STYLE_DEFAULTS = {
    "checkpoint_dir": None, "style": None, "train_path": "data/train2014", "test": None, "test_dir": None,
    "slow": False, "epochs": 2, "batch_size": 4, "checkpoint_iterations": 2000, "vgg_path": None,
    "content_weight": 7.5, "style_weight": 100.0, "tv_weight": 200.0, "learning_rate": 1e-3,
}  # fmt: skip


def call(main, capsys, *flags):
    """(status, stdout, stderr) of a script run in this process with the wrapper that ends it."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        shared_cli.run(lambda: main([str(flag) for flag in flags]))
    return end.value.code or 0, *capsys.readouterr()


@pytest.fixture
def paint(capsys):
    """`paint(*flags)` runs evaluate.py."""
    return lambda *flags: call(evaluate.main, capsys, *flags)


@pytest.fixture
def train(capsys):
    """`train(*flags)` runs style.py."""
    return lambda *flags: call(style_script.main, capsys, *flags)


def refused(outcome, *words, status=2):
    """One line `error: …` that holds the words, no traceback, nothing on stdout."""
    code, out, err = outcome
    assert code == status, outcome
    assert err.count("error: ") == 1 and "Traceback" not in err, err
    for word in words:
        assert word in err, (word, err)
    return out


@pytest.fixture(scope="session")
def checkpoint(weights, tmp_path_factory):
    """A folder with the golden weights, as style.py leaves one."""
    folder = tmp_path_factory.mktemp("golden_style")
    save_checkpoint(folder / "fns.ckpt", weights)
    return folder


@pytest.fixture(scope="session")
def other_checkpoint(weights, tmp_path_factory):
    """Another style: the golden weights with the colours exchanged."""
    folder = tmp_path_factory.mktemp("styles") / "other"
    folder.mkdir()
    save_checkpoint(folder / "fns.ckpt", {**weights, "Variable_46": weights["Variable_46"][::-1].copy() + 0.5})
    return folder


def picture(path, height=20, width=24, seed=0):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize((width, height), Image.Resampling.BICUBIC).save(path)
    return path


def pixels_of(path):
    with Image.open(path) as image:
        return np.array(image.convert("RGB")).astype(int)


# --- evaluate.py: the reference's run -----------------------------------------------------------------------------


@pytest.fixture
def recorded_folder(golden, tmp_path):
    """The five pictures of the recorded run."""
    recorded = golden("io_cli.npz")
    folder = tmp_path / "in"
    folder.mkdir()
    for name, value in recorded.items():
        if name.startswith("cli/in/"):
            Image.fromarray(value).save(folder / name.removeprefix("cli/in/"))
    return recorded, folder


def test_a_folder_run_is_the_references(recorded_folder, paint, checkpoint, tmp_path):
    recorded, folder = recorded_folder
    out = tmp_path / "new" / "out"
    status, printed, _ = paint(
        *("--checkpoint", checkpoint, "--in-path", folder, "--out-path", out, "--allow-different-dimensions"),
        *("--batch-size", "2", "--reference-size"),
    )
    assert status == 0
    assert sorted(printed.split("\n")) == ["", *(f"Processing images of shape {s}x3" for s in ("13x18", "20x24"))]
    wanted = {name.removeprefix("cli/out/"): value for name, value in recorded.items() if name.startswith("cli/out/")}
    assert {path.name for path in out.iterdir()} == set(wanted)
    for name, value in wanted.items():
        difference = np.abs(pixels_of(out / name) - value)
        assert difference.shape == value.shape
        assert difference.max() <= 1 and (difference > 0).mean() < 0.005, name


def test_by_default_results_have_the_pictures_size(recorded_folder, paint, checkpoint, tmp_path):
    recorded, folder = recorded_folder
    status, _, _ = paint("--checkpoint", checkpoint, "--in-path", folder / "im2.png", "--out-path", tmp_path / "o.png")
    assert status == 0
    difference = np.abs(pixels_of(tmp_path / "o.png") - recorded["cli/out/im2.png"][:13, :18])
    assert difference.max() <= 1 and (difference > 0).mean() < 0.005


def test_mixed_sizes_without_the_flag_are_refused_in_the_references_words(recorded_folder, paint, checkpoint, tmp_path):
    recorded, folder = recorded_folder
    outcome = paint("--checkpoint", checkpoint, "--in-path", folder, "--out-path", tmp_path / "out")
    refused(outcome, "Images have different dimensions. Resize images or use --allow-different-dimensions.")
    assert "different dimensions" in str(recorded["cli/error_without_flag"])


# --- evaluate.py: files -------------------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder to work in, with one picture."""
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "me.png")
    return tmp_path


def test_one_picture_into_a_folder_keeps_its_name(desk, paint, checkpoint):
    (desk / "out").mkdir()
    assert paint("--checkpoint", checkpoint, "--in-path", "me.png", "--out-path", "out")[0] == 0
    assert (desk / "out" / "me.png").is_file()


def test_old_spellings_and_backslashes(desk, paint, checkpoint):
    shutil.copytree(checkpoint, desk / "ckpts" / "mine")
    outcome = paint(
        *("--checkpoint-dir", "ckpts\\mine", "--in-path", ".\\me.png", "--out-path", "out.png"),
        *("--device", "/gpu:0", "--batch-size", "4", "--allow"),
    )
    assert outcome[0] == 0 and (desk / "out.png").is_file()


@pytest.mark.parametrize("device", ["/gpu:0", "/cpu:0", "cpu", "gpu", "gpu:1", "/device:GPU:0"])
def test_a_gpu_that_is_not_there_is_the_cpu(device):
    from shared_scripts.devices_tf import pick_device

    assert pick_device(device) == "/CPU:0"


def test_a_device_nobody_has_is_refused(desk, paint, checkpoint):
    refused(paint("--checkpoint", checkpoint, "--in-path", "me.png", "--out-path", "o.png", "--device", "tpux"), "tpux")


def test_many_styles_and_many_pictures_in_one_run(desk, paint, checkpoint, other_checkpoint):
    picture(desk / "you.jpg", 9, 13)
    status, _, _ = paint(
        *("--checkpoint", checkpoint, other_checkpoint / "fns.ckpt"),
        *("--in-path", "me.png", "you.jpg", "--out-path", "out"),
    )
    assert status == 0
    first = checkpoint.name
    names = {f"me_{first}.png", "me_other.png", f"you_{first}.jpg", "you_other.jpg"}
    assert {path.name for path in (desk / "out").iterdir()} == names
    assert not np.array_equal(pixels_of(desk / "out" / f"me_{first}.png"), pixels_of(desk / "out" / "me_other.png"))


def test_styles_of_one_name_do_not_overwrite_each_other(desk, paint, checkpoint, other_checkpoint):
    for name in ("n1/a_2", "n2/a", "n3/a"):
        shutil.copytree(other_checkpoint if name == "n3/a" else checkpoint, desk / name)
    status, _, _ = paint("--checkpoint", "n1/a_2", "n2/a", "n3/a", "--in-path", "me.png", "--out-path", "out")
    assert status == 0
    assert {path.name for path in (desk / "out").iterdir()} == {"me_a_2.png", "me_a.png", "me_a_3.png"}


def test_a_picture_too_large_for_the_machine_is_named_and_the_others_are_done(desk, paint, checkpoint, monkeypatch):
    from shared_scripts import memory

    for name, size in (("a", 20), ("b", 200), ("c", 24)):
        picture(desk / "in" / f"{name}.png", size, size)
    monkeypatch.setattr(memory, "granted", 0.0)
    monkeypatch.setattr(memory, "available_memory", lambda: 1_000_000)
    outcome = paint("--checkpoint", checkpoint, "--in-path", "in", "--out-path", "out", "--allow-different-dimensions")
    refused(outcome, "b.png: not enough memory for pictures of 200x200 pixels", status=1)
    assert {path.name for path in (desk / "out").iterdir()} == {"a.png", "c.png"}


def test_no_folder_is_made_for_a_style_that_is_not_there(desk, paint):
    refused(paint("--checkpoint", "nowhere", "--in-path", "me.png", "--out-path", "new/o.png"), "Checkpoint not found!")
    assert not (desk / "new").exists()


def test_a_broken_picture_is_named_and_the_others_are_done(desk, paint, checkpoint):
    for name in ("a.png", "c.png"):
        picture(desk / "in" / name)
    (desk / "in" / "b.png").write_bytes(b"not a picture")
    (desk / "in" / "notes.txt").write_text("hello")
    (desk / "in" / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    outcome = paint("--checkpoint", checkpoint, "--in-path", "in", "--out-path", "out")
    refused(outcome, "b.png", "notes.txt is no picture; left out", status=1)
    assert {path.name for path in (desk / "out").iterdir()} == {"a.png", "c.png"}
    assert ".DS_Store" not in outcome[2]


def test_a_truncated_picture_among_others(desk, paint, checkpoint):
    whole = picture(desk / "in" / "a.png", 40, 50)
    (desk / "in" / "b.png").write_bytes(whole.read_bytes()[:-60])
    refused(paint("--checkpoint", checkpoint, "--in-path", "in", "--out-path", "out"), "b.png", status=1)
    assert (desk / "out" / "a.png").is_file() and not (desk / "out" / "b.png").exists()


def test_max_size_shrinks_first(desk, paint, checkpoint):
    picture(desk / "large.png", 60, 90)
    paint("--checkpoint", checkpoint, "--in-path", "large.png", "--out-path", "small.png", "--max-size", "45")
    assert pixels_of(desk / "small.png").shape == (30, 45, 3)


def test_mirror_border_changes_the_rim_more_than_the_middle(desk, paint, checkpoint):
    picture(desk / "large.png", 97, 122)
    for flags in ([], ["--mirror-border"], ["--mirror-border", "--reference-size"]):
        paint("--checkpoint", checkpoint, "--in-path", "large.png", "--out-path", f"{len(flags)}.png", *flags)
    plain, mirrored, reference = (pixels_of(desk / f"{i}.png") for i in range(3))
    assert plain.shape == mirrored.shape == (97, 122, 3) and reference.shape == (100, 124, 3)
    np.testing.assert_array_equal(reference[:97, :122], mirrored)
    difference = np.abs(plain - mirrored)
    assert difference[:3].mean() > 1.5 * difference[45:52, 55:65].mean() > 0


def test_preserve_colors(desk, paint, checkpoint):
    Image.new("RGB", (24, 20), (220, 30, 30)).save(desk / "red.png")
    for flags in ([], ["--preserve-colors"]):
        paint("--checkpoint", checkpoint, "--in-path", "red.png", "--out-path", f"{len(flags)}.png", *flags)

    def red(name):
        with Image.open(desk / name) as image:
            return np.array(image.convert("YCbCr"))[..., 2].astype(int)

    assert np.abs(red("1.png") - red("red.png")).mean() < np.abs(red("0.png") - red("red.png")).mean()


def test_the_cameras_orientation(golden, desk, paint, checkpoint):
    (desk / "exif6.jpg").write_bytes(golden("io_cli.npz")["file/exif6.jpg"].tobytes())
    base = ("--checkpoint", checkpoint, "--in-path", "exif6.jpg", "--out-path")
    paint(*base, "upright.png")
    paint(*base, "lying.png", "--no-auto-rotate")
    assert pixels_of(desk / "upright.png").shape == (44, 31, 3)
    assert pixels_of(desk / "lying.png").shape == (31, 44, 3)


def test_jpeg_quality(desk, paint, checkpoint):
    for flags in ([], ["--jpeg-quality", "95"]):
        paint("--checkpoint", checkpoint, "--in-path", "me.png", "--out-path", f"{len(flags)}.jpg", *flags)
    assert (desk / "0.jpg").stat().st_size < (desk / "2.jpg").stat().st_size


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--in-path", "nobody.png", "--out-path", "o.png"], ["In path not found!", "nobody.png"]),
        (["--in-path", "me.png", "--out-path", "o.txt"], ["o.txt", ".jpg or .png"]),
        (["--in-path", "me.png", "--out-path", "o.png", "--batch-size", "0"], ["--batch-size"]),
        (["--in-path", "me.png", "--out-path", "o.png", "--max-size", "-3"], ["--max-size"]),
        (["--in-path", "me.png", "--out-path", "o.png", "--jpeg-quality", "101"], ["--jpeg-quality"]),
        (["--in-path", "me.png", "--out-path", "me.png"], ["me.png", "painted over"]),
        (["--in-path", "empty", "--out-path", "o"], ["no pictures in empty"]),
        (["--in-path", "two", "--out-path", "me.png"], ["me.png is a file"]),
        (["--in-path", "two", "--out-path", "two"], ["painted over"]),
        (["--in-path", "two", "two/a.png", "--out-path", "o"], ["would both become"]),
        (["--in-path", "me.png"], ["--out-path"]),
        (["--in-path", "me.png", "--out-path", "me.png/o.png"], ["cannot create the folder"]),
    ],
)
def test_what_people_get_wrong(desk, paint, checkpoint, flags, words):
    (desk / "empty").mkdir()
    picture(desk / "two" / "a.png")
    before = (desk / "me.png").read_bytes()
    refused(paint("--checkpoint", checkpoint, *flags), *words)
    assert (desk / "me.png").read_bytes() == before
    assert not (desk / "o.png").exists() and not (desk / "o.txt").exists()


def test_one_broken_picture_is_an_error(desk, paint, checkpoint):
    (desk / "bad.png").write_bytes(b"GIF89a")
    refused(paint("--checkpoint", checkpoint, "--in-path", "bad.png", "--out-path", "o.png"), "bad.png")
    assert not (desk / "o.png").exists()


def test_no_checkpoint(desk, paint):
    refused(paint("--checkpoint", "nowhere", "--in-path", "me.png", "--out-path", "o.png"), "Checkpoint not found!")


def test_too_little_memory_is_said_before_it_runs_out(desk, paint, checkpoint, monkeypatch):
    from shared_scripts import memory

    monkeypatch.setattr(memory, "granted", 0.0)
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    outcome = paint("--checkpoint", checkpoint, "--in-path", "me.png", "--out-path", "o.png")
    refused(outcome, "not enough memory for pictures of 24x20 pixels", "--max-size")


def test_one_function_serves_all_sizes(desk, paint, checkpoint):
    import tensorflow as tf

    from stylizer import painter

    for i in range(4):
        picture(desk / "in" / f"{i}.png", 8 + 3 * i, 30 - i)
    before = painter(1, tf.float32).experimental_get_tracing_count()
    assert before <= 1
    paint("--checkpoint", checkpoint, "--in-path", "in", "--out-path", "out", "--allow-different-dimensions")
    assert painter(1, tf.float32).experimental_get_tracing_count() == 1


# --- the flags ----------------------------------------------------------------------------------------------------


def test_the_references_flags_and_defaults(desk, tmp_path):
    (tmp_path / "photos").mkdir()
    flags = options.style_parser().parse_args(["--checkpoint-dir", "c", "--style", "me.png"])
    for name, value in STYLE_DEFAULTS.items():
        if name not in ("checkpoint_dir", "style"):
            assert getattr(flags, name) == value, name
    flags = options.evaluate_parser().parse_args(["--checkpoint", "c", "--in-path", "a", "--out-path", "b", "--allow"])
    assert flags.batch_size == 4 and flags.allow_different_dimensions is True


@pytest.mark.parametrize("parser", [options.evaluate_parser, options.video_parser])
def test_two_spellings_of_a_flag_do_not_make_it_ambiguous(parser, capsys):
    flags = parser().parse_args(["--check", "c", "--in", "a", "--out", "b", "--dev", "cpu", "--batch", "3"])
    assert flags.checkpoint in ("c", ["c"]) and flags.batch_size == 3 and flags.device == "cpu"
    with pytest.raises(SystemExit):
        parser().parse_args(["--checkpoint", "c", "--in", "a", "--out", "b", "--p", "auto"])
    if parser is options.evaluate_parser:
        assert "ambiguous option: --p could match --preserve-colors, --precision" in capsys.readouterr().err


def test_help_is_quick_and_imports_nothing_heavy():
    """Flags are answered before TensorFlow is imported."""
    for script in ("style.py", "evaluate.py", "transform_video.py"):
        code = (
            "import sys, runpy\nsys.argv = [sys.argv[1], '--help']\n"
            "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
            "except SystemExit: pass\n"
            "print('HEAVY' if {'tensorflow', 'torch', 'keras'} & set(sys.modules) else 'LIGHT')"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(PROJECT / script)], capture_output=True, text=True, cwd=PROJECT
        )
        assert done.stdout.strip().endswith("LIGHT"), done.stdout[-300:] + done.stderr
        assert "--checkpoint" in done.stdout


def test_nothing_imports_torch(desk, checkpoint):
    code = (
        "import os, runpy, sys; sys.argv = sys.argv[1:]; sys.path.insert(0, os.path.dirname(sys.argv[0]))\n"
        "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end: print('status', end.code, 'torch' in sys.modules)"
    )
    words = ["--checkpoint", checkpoint, "--in-path", "me.png", "--out-path", "o.png"]
    done = subprocess.run(
        [sys.executable, "-c", code, str(PROJECT / "evaluate.py"), *map(str, words)], capture_output=True, text=True
    )
    assert done.stdout == "status 0 False\n", done.stdout + done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("Painted 1 picture in"), done.stderr  # no chatter
    assert lines[0].endswith(" s on the CPU.")


# --- style.py -----------------------------------------------------------------------------------------------------


@pytest.fixture
def studio(tmp_path, monkeypatch, golden_path):
    """A folder to train in: four photographs, a style, a narrow VGG-19."""
    monkeypatch.chdir(tmp_path)
    for i in range(4):
        picture(tmp_path / "photos" / f"{i}.jpg", 40, 50, i)
    picture(tmp_path / "style.png", 33, 47, 9)
    picture(tmp_path / "test.png", 18, 22, 10)
    shutil.copy(golden_path("vgg19_narrow_beta16.mat"), tmp_path / "narrow.mat")
    return tmp_path


BASE = [
    *("--style", "style.png", "--checkpoint-dir", "out", "--train-path", "photos", "--vgg-path", "narrow.mat"),
    *("--batch-size", "1", "--epochs", "1", "--device", "cpu"),
]


def test_a_training_from_the_command_line(studio, train):
    status, out, err = train(
        *BASE, "--test", "test.png", "--test-dir", "pictures", "--checkpoint-iterations", "3", "--tensorboard"
    )
    assert status == 0, err
    lines = out.splitlines()
    assert lines[0] == "(1, 33, 47, 3)" and lines[1].startswith("UID: ") and 1 <= int(lines[1][5:]) <= 100
    assert lines[2].startswith("Epoch 0, Iteration: 3, Loss: ") and lines[4].startswith("Epoch 0, Iteration: 4, Loss:")
    assert lines[3].startswith("style: ") and ", content:" in lines[3] and ", tv: " in lines[3]
    assert lines[6:] == ["Training complete. For evaluation:", "    `python evaluate.py --checkpoint out ...`"]
    assert {path.name for path in (studio / "pictures").iterdir()} == {"0_3.png", "0_4.png"}
    assert pixels_of(studio / "pictures" / "0_4.png").shape == (18, 22, 3)
    names = {path.name for path in (studio / "out").iterdir()}
    assert {"fns.ckpt.index", "fns.ckpt.data-00000-of-00001", "checkpoint", "training.json"} <= names
    assert any(name.startswith("events.") for name in names)
    record = json.loads((studio / "out" / "training.json").read_text())
    assert record["steps"] == 4 and record["losses"]["total"] == pytest.approx(float(lines[4].split("Loss: ")[1]))


def test_what_was_trained_paints(studio, train, paint):
    train(*BASE)
    assert paint("--checkpoint", "out", "--in-path", "test.png", "--out-path", "o.png")[0] == 0
    assert pixels_of(studio / "o.png").std() > 0


def test_photographs_that_fill_no_batch_are_left_out(studio, train):
    status, out, _ = train(*BASE, "--batch-size", "3")
    assert status == 0 and "Train set has been trimmed slightly.." in out.splitlines()
    assert "Epoch 0, Iteration: 1, Loss" in out


def state_of(folder):
    from legacy import load_checkpoint

    found = load_checkpoint(folder)
    return {**found.weights, **found.adam}


def test_a_killed_training_resumed_is_the_uninterrupted_one(studio, train, monkeypatch):
    """To the bit, with shuffling and a schedule, wherever it was stopped."""
    flags = [*BASE, "--epochs", "2", "--shuffle", "--schedule", "cosine", "--seed", "4"]
    assert train(*flags)[0] == 0
    whole = state_of(studio / "out")
    flags[flags.index("out")] = "cut"
    one_step = run_training.TrainingRun.one_step

    def stop_after_three(self, *rest):
        one_step(self, *rest)
        if self.done == 3:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patched:
        patched.setattr(run_training.TrainingRun, "one_step", stop_after_three)
        status, _, err = train(*flags)
    assert status == 130 and "Stopped after 3 of 8 steps" in err
    status, _, err = train(*flags, "--resume")
    assert status == 0 and "Going on after 3 of 8 steps" in err
    for name, value in state_of(studio / "cut").items():
        np.testing.assert_array_equal(value, whole[name], err_msg=name)


def test_resuming_without_the_record_reads_the_step_off_adam(studio, train):
    flags = [*BASE, "--epochs", "1"]
    train(*flags)
    (studio / "out" / "training.json").unlink()
    status, _, err = train(*flags, "--epochs", "2", "--resume")
    assert status == 0 and "Going on after 4 of 8 steps" in err


def test_resuming_another_training_is_refused(studio, train):
    train(*BASE)
    before = state_of(studio / "out")
    refused(train(*BASE, "--resume", "--epochs", "2", "--style-weight", "7"), "another --style-weight")
    refused(train(*BASE, "--resume"), "all its 4 steps behind it", "--epochs")
    np.testing.assert_array_equal(state_of(studio / "out")["Variable"], before["Variable"])


def test_resuming_as_the_readme_says_with_the_same_command(studio, train, checkpoint):
    """--initial-checkpoint stands in the command that is repeated with --resume: it has done its work already."""
    flags = [*BASE, "--initial-checkpoint", checkpoint, "--epochs", "1"]
    train(*flags)
    status, _, err = train(*flags, "--epochs", "2", "--resume")
    assert status == 0 and "Going on after 4 of 8 steps" in err


def test_resuming_with_other_photographs_is_refused(studio, train):
    train(*BASE)
    picture(studio / "photos" / "new.png")
    refused(train(*BASE, "--epochs", "2", "--resume"), "ran with 4 pictures", "has 5 now")


def test_resuming_after_a_kill_between_checkpoint_and_record(studio, train):
    """The record is a moment old: its settings hold, its step does not, and losses.csv has lines too many."""
    flags = [*BASE, "--epochs", "3", "--shuffle", "--checkpoint-iterations", "2"]
    train(*flags)
    record = json.loads((studio / "out" / "training.json").read_text())
    record["beta2_power"], record["steps"] = 0.5, 8
    (studio / "out" / "training.json").write_text(json.dumps(record))
    (studio / "out" / "losses.csv").write_text("step,total,style,content,tv\n10,1,1,1,1\n20,1,1,1,1\n")
    status, _, err = train(*flags, "--epochs", "4", "--resume")
    assert status == 0 and "Going on after 12 of 16 steps" in err
    again = json.loads((studio / "out" / "training.json").read_text())
    assert again["settings"]["shuffle_seed"] == record["settings"]["shuffle_seed"]
    assert (studio / "out" / "losses.csv").read_text().splitlines()[1:] == ["10,1,1,1,1"]
    refused(train(*flags, "--epochs", "5", "--resume", "--tv-weight", "1"), "another --tv-weight")


def test_beginning_with_ones_own_weights_in_the_same_folder(studio, train):
    train(*BASE)
    first = state_of(studio / "out")
    for name in ("out", "out/fns.ckpt"):
        status, _, err = train(*BASE, "--initial-checkpoint", name, "--learning-rate", "0")
        assert status == 0, err
        np.testing.assert_array_equal(state_of(studio / "out")["Variable_9"], first["Variable_9"])
        assert json.loads((studio / "out" / "training.json").read_text())["began_with"]["steps"] == 4


def test_an_earlier_training_stays_where_it_is_if_the_new_one_cannot_begin(studio, train, monkeypatch):
    train(*BASE)
    before = {path.name for path in (studio / "out").iterdir()}
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.record_writer", None)
    refused(train(*BASE, "--tensorboard"), "pip install tensorboard")
    assert {path.name for path in (studio / "out").iterdir()} == before


def test_a_test_picture_that_cannot_be_painted_does_not_end_the_training(studio, train, monkeypatch):
    from shared_scripts import memory

    monkeypatch.setattr(memory, "granted", 0.0)
    monkeypatch.setattr(memory, "available_memory", lambda: 1000)
    status, _, err = train(*BASE, "--test", "test.png", "--test-dir", "pictures")
    assert status == 0 and "Warning: no test picture: not enough memory" in err
    assert state_of(studio / "out")["beta1_power"] < 0.7


def test_resuming_weights_without_an_optimiser_is_refused(studio, train, weights):
    save_checkpoint(studio / "out" / "fns.ckpt", weights)
    refused(train(*BASE, "--resume"), "without the optimiser's state", "--initial-checkpoint")


def test_a_second_training_keeps_the_first(studio, train):
    train(*BASE)
    first = state_of(studio / "out")
    status, _, err = train(*BASE, "--seed", "3")
    assert status == 0 and "kept as fns-1.ckpt" in err
    from legacy import load_checkpoint

    np.testing.assert_array_equal(load_checkpoint(studio / "out" / "fns-1.ckpt").weights["Variable"], first["Variable"])
    assert not np.array_equal(state_of(studio / "out")["Variable"], first["Variable"])


def test_beginning_with_another_styles_weights(studio, train, checkpoint, weights):
    status, _, _ = train(*BASE, "--initial-checkpoint", checkpoint, "--learning-rate", "0")
    assert status == 0
    np.testing.assert_array_equal(state_of(studio / "out")["Variable_9"], weights["Variable_9"])


def test_single_file(studio, train):
    assert train(*BASE, "--single-file")[0] == 0
    names = {path.name for path in (studio / "out").iterdir()}
    assert "fns.ckpt" in names and "fns.ckpt.index" not in names
    assert (studio / "out" / "fns.ckpt").stat().st_size == 20_147_011
    assert set(state_of(studio / "out")) > set(variable_shapes())


def test_broken_training_pictures_are_counted(studio, train):
    (studio / "photos" / "1.jpg").write_bytes(b"broken")
    status, _, err = train(*BASE)
    assert status == 0 and "1 training pictures could not be read and were left out: 1.jpg" in err
    assert json.loads((studio / "out" / "training.json").read_text())["skipped"] == ["1.jpg"]


def test_a_loss_that_is_no_number_keeps_the_last_good_weights(studio, train, checkpoint):
    """A learning rate beyond all measure blows the weights up; those from before are what is left."""
    status, out, err = train(*BASE, "--epochs", "4", "--initial-checkpoint", checkpoint, "--learning-rate", "1e30")
    assert status == 1, (out, err)
    assert "the loss is not finite; going back" in out
    assert "the last good weights are in out" in err and "--learning-rate" in err
    assert all(np.isfinite(value).all() for value in state_of(studio / "out").values())


@pytest.mark.parametrize("missing", [None, "compact"])
def test_the_compact_network_stands_in(studio, train, missing):
    flags = [flag for flag in BASE if flag not in ("--vgg-path", "narrow.mat")]
    (studio / "photos" / "3.jpg").unlink(), (studio / "photos" / "2.jpg").unlink()
    status, _, err = train(*flags, *(["--vgg-path", missing] if missing else []))
    assert status == 0
    assert ("There is no data/imagenet-vgg-verydeep-19.mat" in err) == (missing is None)
    assert "compact network" in err


def test_slow_mode(studio, train):
    status, out, err = train(
        *BASE, "--slow", "--test", "test.png", "--test-dir", "slow", "--epochs", "12", "--checkpoint-iterations", "5"
    )
    assert status == 0, err
    assert "Training complete" not in out and err.splitlines()[-1] == "The picture is slow/11_1.png."
    assert {path.name for path in (studio / "slow").iterdir()} == {f"{epoch}_1.png" for epoch in (0, 5, 10, 11)}
    totals = [float(line.split("Loss: ")[1]) for line in out.splitlines() if line.startswith("Epoch")]
    assert len(totals) == 4 and totals[-1] < totals[0]
    assert pixels_of(studio / "slow" / "11_1.png").shape == (256, 256, 3)


def test_slow_mode_at_the_photographs_size(studio, train):
    train(*BASE, "--slow", "--native-size", "--test", "test.png", "--test-dir", "slow", "--epochs", "10")
    assert pixels_of(studio / "slow" / "9_1.png").shape == (18, 22, 3)


def test_slow_modes_defaults():
    flags = options.style_parser().parse_args(["--checkpoint-dir", "c", "--style", "s", "--slow"])
    options.use_slow_defaults(flags)
    assert (flags.batch_size, flags.epochs, flags.learning_rate) == (1, 1000, 10.0)
    flags = options.style_parser().parse_args(
        ["--checkpoint-dir", "c", "--style", "s", "--slow", "--epochs", "11", "--learning-rate", "2"]
    )
    options.use_slow_defaults(flags)
    assert (flags.epochs, flags.learning_rate) == (11, 2.0)


@pytest.mark.parametrize(
    "flags, words",
    [
        (["--style", "nobody.png"], ["--style", "nobody.png"]),
        (["--train-path", "nowhere"], ["--train-path", "nowhere", "setup.sh"]),
        (["--test", "test.png"], ["--test-dir"]),
        (["--test", "nobody.png", "--test-dir", "t"], ["--test", "nobody.png"]),
        (["--vgg-path", "nobody.mat"], ["--vgg-path", "nobody.mat", "--vgg-only"]),
        (["--vgg-path", "style.png"], ["style.png"]),
        (["--epochs", "0"], ["--epochs"]),
        (["--batch-size", "5"], ["4 training pictures are fewer than the batch of 5"]),
        (["--batch-size", "-1"], ["--batch-size"]),
        (["--checkpoint-iterations", "0"], ["--checkpoint-iterations"]),
        (["--content-weight", "-1"], ["--content-weight"]),
        (["--style-weight", "nan"], ["--style-weight"]),
        (["--learning-rate", "fast"], ["--learning-rate"]),
        (["--slow"], ["--slow", "--test"]),
        (["--resume"], ["Checkpoint not found!"]),
        (["--test-dir", "t"], ["--test-dir", "--test"]),
        (["--native-size"], ["--native-size", "--slow"]),
        (["--slow", "--test", "test.png", "--test-dir", "t", "--resume"], ["--resume", "--slow"]),
        (["--seed", "-1"], ["--seed", "-1"]),
        (["--initial-checkpoint", "x"], ["Checkpoint not found!", "x"]),
        (["--checkpoint-dir", "style.png/x"], ["cannot create the folder"]),
        (["--train-path", "empty"], ["no pictures in empty"]),
        (["--device", "abacus"], ["abacus"]),
        (["--nonsense"], ["--nonsense"]),
    ],
)
def test_what_people_get_wrong_in_training(studio, train, flags, words):
    (studio / "empty").mkdir()
    refused(train(*BASE, *flags), *words)
    assert not (studio / "out" / "fns.ckpt.index").exists()


def test_all_training_pictures_broken(studio, train):
    for path in (studio / "photos").iterdir():
        path.write_bytes(b"broken")
    refused(train(*BASE), "none of the 4 training pictures can be read")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_a_training_killed_by_the_scheduler_saves(studio):
    """SIGTERM from outside, in a process of its own."""
    command = [sys.executable, str(PROJECT / "style.py"), *BASE, "--epochs", "500"]
    process = subprocess.Popen(command, cwd=studio, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (studio / "out" / "losses.csv").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "--resume goes on" in err, err
    steps = json.loads((studio / "out" / "training.json").read_text())["steps"]
    assert f"Stopped after {steps} of 2000 steps" in err and steps >= 10
    assert set(state_of(studio / "out")) > set(variable_shapes())


def test_convert_to_weights_alone(studio, checkpoint, weights, capsys):
    import convert_checkpoint
    from legacy import load_checkpoint

    base = ("--checkpoint", checkpoint, "--out-path")
    assert call(convert_checkpoint.main, capsys, *base, "small.ckpt")[0] == 0
    assert (studio / "small.ckpt").stat().st_size == 6_715_511
    np.testing.assert_array_equal(load_checkpoint("small.ckpt").weights["Variable_9"], weights["Variable_9"])
    with pytest.raises(UserError, match="is the checkpoint itself"):
        convert_checkpoint.convert("small.ckpt", studio / "small.ckpt", False)
    refused(call(convert_checkpoint.main, capsys, *base, checkpoint / "fns.ckpt"), "is a training's checkpoint already")
    refused(call(convert_checkpoint.main, capsys, *base, "x.ckpt.index"), "name the whole: x.ckpt")
    assert call(convert_checkpoint.main, capsys, *base, "half.ckpt", "--half-precision")[0] == 0
    assert sum(path.stat().st_size for path in studio.glob("half.ckpt.*")) < 3_370_000
    found = load_checkpoint("half.ckpt").weights["Variable_9"]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, weights["Variable_9"], rtol=1e-3, atol=1e-6)
