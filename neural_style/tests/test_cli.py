"""The command line: the reference's own runs, every flag, every way to get it wrong."""

import io
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

import options
import report
from report import checkpoint_name, hms, is_checkpoint_format
from shared_scripts import files
from shared_scripts.images import read_image

# The reference's flags and defaults.
REFERENCE = {
    "content": None, "styles": None, "output": None, "iterations": 1000, "print-iterations": None,
    "checkpoint-output": None, "checkpoint-iterations": None, "progress-write": False, "progress-plot": False,
    "width": None, "style-scales": None, "network": None, "content-weight-blend": 1, "content-weight": 5e0,
    "style-weight": 5e2, "style-layer-weight-exp": 1, "style-blend-weights": None, "tv-weight": 1e2,
    "learning-rate": 1e1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "initial": None, "initial-noiseblend": None,
    "preserve-colors": False, "pooling": "max", "overwrite": False,
}  # fmt: skip
OURS = ["file-format", "refresh", "resume", "device", "gpu_ids", "precision", "seed"]
CACHE = "tiny.mat.convs.safetensors"
INPUTS = {"c.png", "s.png", "tiny.mat"}


def size_of(path):
    with Image.open(path) as image:
        return image.size


def names(folder):
    """Every file below a folder, but the networks' caches."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name for name in found if not name.endswith(".convs.safetensors")}


def snapshot(folder):
    return {name: (folder / name).read_bytes() for name in names(folder)}


# --- the reference's own runs, in a process of their own ----------------------------------------------------------


@pytest.fixture(scope="module", params=["cli_percent_s", "cli_braces_width"])
def recorded(request, golden, script, tmp_path_factory, weight_files):
    """A recorded run of the reference's script, and the folder in which ours did the same."""
    file = golden(f"{request.param}.npz")
    folder = tmp_path_factory.mktemp(request.param)
    for key in file:
        if key.startswith("in_"):
            Image.fromarray(file[key]).save(folder / key.removeprefix("in_"))
    shutil.copy(weight_files["new"], folder)
    before = names(folder)
    outcome = script(*json.loads(str(file["args_json"])), "--device", "cpu", cwd=folder)
    outcome.succeeded()
    return file, folder, before, outcome


def test_recorded_run_makes_the_references_files_and_no_others(recorded):
    file, folder, before, _ = recorded
    assert names(folder) - before == set(json.loads(str(file["files_json"])))


def test_recorded_run_paints_the_references_pictures(recorded):
    file, folder, _, _ = recorded
    for key in [key for key in file if key.startswith("out_")]:
        with Image.open(folder / key.removeprefix("out_")) as image:
            difference = np.abs(np.asarray(image).astype(int) - file[key].astype(int))
        assert difference.max() <= 1, key
        if key.endswith(("ck_0.png", "00000.png")):  # whole numbers plus the learning rate, then cut off
            assert (difference > 0).mean() <= 0.2, key
        else:
            assert (difference > 0).any(axis=2).mean() <= 0.01, key


def test_recorded_run_prints_the_references_lines(recorded):
    file, _, _, outcome = recorded
    mine, reference = outcome.out.splitlines(), str(file["stdout"]).splitlines()
    assert [shape_of(line) for line in mine] == [shape_of(line) for line in reference]
    for one, other in zip(mine, reference, strict=True):
        if "loss:" in one:
            assert float(one.split()[-1]) == pytest.approx(float(other.split()[-1]), rel=1e-4), other


def shape_of(line):
    """A line without its times and losses, to the space."""
    line = re.sub(r"\((\d+ (hr|min|sec) ?)+elapsed, (\d+ (hr|min|sec) ?)+remaining\)", "(times)", line)
    return re.sub(r"(?<=loss: ).*", "number", line)


def test_recorded_run_writes_the_references_progress(recorded):
    file, folder, _, _ = recorded
    if "text_o/progress.txt" not in file:
        assert not (folder / "o/progress.txt").exists()
        return
    mine, reference = (folder / "o/progress.txt").read_text(), str(file["text_o/progress.txt"])
    assert mine.splitlines()[0] == reference.splitlines()[0] == "# itr content style tv total"
    found, wanted = np.loadtxt(io.StringIO(mine)), np.loadtxt(io.StringIO(reference))
    np.testing.assert_array_equal(found[:, 0], wanted[:, 0])
    np.testing.assert_allclose(found[:, 1:], wanted[:, 1:], rtol=1e-4)
    assert read_image(folder / "o/progress.png").std() > 10


# --- tables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", range(10))
def test_checkpoint_names_equal_the_reference(golden, index):
    case = golden("tables.json")["fmt_imsave"][index]
    assert is_checkpoint_format(case["fmt"]) == case["passes_cli_check"]
    if isinstance(case["result"], str):
        assert checkpoint_name(case["fmt"], case["iteration"]) == case["result"]
    else:
        with pytest.raises(ValueError, match=re.escape(case["result"]["msg"])):
            checkpoint_name(case["fmt"], case["iteration"])


def test_durations_equal_the_reference(golden):
    for seconds, words in golden("tables.json")["hms"].items():
        assert hms(float(seconds)) == words


def test_elapsed_and_remaining_times(monkeypatch):
    """The line of a step tells the time before it; what remains is the mean of the last ten steps for the rest."""
    seconds = [10.0] * 3 + [40.0] * 10 + [70.0]
    clock = iter(np.cumsum([100.0, *seconds]))
    monkeypatch.setattr(report, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    lines = []
    printer = report.LinePrinter(100, None, lines.append)
    for i in range(len(seconds)):
        printer.step(i + 1, i, None)
    assert lines[0] == "Iteration    1/ 100"
    assert lines[1] == "Iteration    2/ 100 (10 sec elapsed, 16 min 30 sec remaining)"
    assert lines[4] == "Iteration    5/ 100 (1 min 10 sec elapsed, 28 min 0 sec remaining)"
    assert lines[13] == "Iteration   14/ 100 (7 min 10 sec elapsed, 58 min 0 sec remaining)"


# --- flags --------------------------------------------------------------------------------------------------------


def parse(*flags):
    return options.parse(["--content", "c.png", "--styles", "s.png", "--output", "o.png", *flags])


def test_defaults_are_the_references(desk):
    flags = vars(parse())
    for name, value in REFERENCE.items():
        if name not in ("content", "styles", "output"):
            assert flags["epsilon" if name == "eps" else name.replace("-", "_")] == value, name


def test_help_shows_every_flag_and_default(script, tmp_path):
    outcome = script("--help", cwd=tmp_path)
    assert outcome.status == 0 and outcome.err == ""
    text = " ".join(outcome.out.split())
    for name in [*REFERENCE, *OURS]:
        assert f"--{name} " in text, name
    for name, value in REFERENCE.items():
        if value:
            assert re.search(rf"--{name}.*?\(default: {re.escape(str(value))}\)", text), name


def unambiguous(names):
    """Every prefix that stands for one of the names."""
    prefixes = {name[:length] for name in names for length in range(1, len(name) + 1)}
    return sorted(p for p in prefixes if p in names or sum(name.startswith(p) for name in names) == 1)


@pytest.mark.parametrize("prefix", unambiguous(REFERENCE))
def test_abbreviations_of_the_reference_still_work(prefix):
    name = prefix if prefix in REFERENCE else next(name for name in REFERENCE if name.startswith(prefix))
    parser = options.build_parser()
    parser.exit_on_error = False
    required = ["--content", "a", "--styles", "b", "--output", "c"]
    value = {"pooling": ["avg"]}.get(name, [] if REFERENCE[name] is False else ["3"])
    flags = vars(parser.parse_args([*required, f"--{prefix}", *value]))
    expected = {"pooling": "avg", "styles": ["3"], "style-scales": [3], "style-blend-weights": [3]}.get(name)
    found = flags["epsilon" if name == "eps" else name.replace("-", "_")]
    assert found == (expected or (True if REFERENCE[name] is False else type(found)(3)))


@pytest.mark.parametrize("old,new", [("--style", "styles"), ("--style-scale", "style_scales")])
def test_old_spellings(desk, old, new):
    flags = options.parse(["--content", "c.png", "--output", "o.png", "--styles", "s.png", old, "2"])
    assert [str(value) for value in getattr(flags, new)] in (["2"], ["2.0"])


@pytest.mark.parametrize(
    "written,value", [("", True), ("=TRUE", True), ("=FALSE", False), ("=true", True), ("=0", False), ("=no", False)]
)
@pytest.mark.parametrize("switch", ["preserve-colors", "overwrite", "progress-write", "progress-plot", "resume"])
def test_switches_take_an_optional_value(desk, switch, written, value):
    assert getattr(parse(f"--{switch}{written}"), switch.replace("-", "_")) is value


def test_help_does_not_wait_for_torch(tmp_path):
    """Flag errors and --help come at once: nothing heavy is imported for them."""
    code = """
import runpy, sys
sys.argv[1:] = ["--help"]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit:
    print({"torch", "scipy", "matplotlib"} & set(sys.modules), file=sys.stderr)
"""
    script = Path(options.__file__).with_name("neural_style.py")
    code = f"import sys; sys.argv[0] = {str(script)!r}; sys.path.insert(0, {str(script.parent)!r})" + code
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr.strip() == "set()"


# --- command lines people use -------------------------------------------------------------------------------------


@pytest.fixture
def seed_folders(tmp_path, monkeypatch, picture, tiny_mat):
    """Folders as in the reference's own example, with very small pictures."""
    picture(tmp_path / "contents/fhr.jpg", 6, 8, 1)
    picture(tmp_path / "styles/sky100k.jpg", 8, 7, 2)
    (tmp_path / "networks").mkdir()
    tiny_mat.rename(tmp_path / "networks/imagenet-vgg-verydeep-19.mat")
    monkeypatch.chdir(tmp_path)
    return tmp_path


SEED_LINE = (
    r"--content contents\fhr.jpg --styles styles\sky100k.jpg --output outputs\fhr_sky100k.jpg --iterations 2000 "
    r"--checkpoint-output checkpoints\fhr_sky100k_%s.jpg --checkpoint-iterations 100 "
    r"--network networks\imagenet-vgg-verydeep-19.mat --overwrite"
)


@pytest.mark.skipif(os.sep == "\\", reason="backslashes are nothing special here")
def test_a_line_written_on_windows(cli, seed_folders):
    before = names(seed_folders)
    cli(*SEED_LINE.split()).succeeded()
    checkpoints = {f"checkpoints/fhr_sky100k_{i}.jpg" for i in range(0, 2001, 100)}
    assert names(seed_folders) - before == {"outputs/fhr_sky100k.jpg"} | checkpoints
    assert len(checkpoints) == 21


@pytest.mark.parametrize(
    "more",
    [
        "--preserve-colors=FALSE --pooling=max",
        "--preserve-colors --pooling avg --style-layer-weight-exp 0.2",
        "--content-weight 10 --style-weight 1000 --learning-rate 5",
        "--print-iter 2 --style-scale 1.2 --checkpoint-iter 5",
    ],
)
def test_a_line_with_more_flags(cli, seed_folders, more):
    line = SEED_LINE.replace("\\", "/").replace("2000", "10").replace("100 ", "5 ")
    outcome = cli(*line.split(), *more.split())
    outcome.succeeded()
    assert size_of("outputs/fhr_sky100k.jpg") == (8, 6)
    assert {"checkpoints/fhr_sky100k_0.jpg", "checkpoints/fhr_sky100k_5.jpg"} < names(seed_folders)


def test_absolute_paths(cli, desk, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paths = [desk / name for name in ("c.png", "s.png", "new/out.png", "tiny.mat")]
    flags = zip(("--content", "--styles", "--output", "--network"), paths, strict=True)
    cli(*(word for pair in flags for word in pair), "--iterations", 1).succeeded()
    assert size_of(desk / "new/out.png") == (30, 24)


# --- what a good run leaves ---------------------------------------------------------------------------------------


def test_a_good_run_leaves_its_picture_and_nothing_else(transfer, desk):
    transfer("--output", "new/folder/out.png", "--refresh", "0.000001").succeeded()
    assert names(desk) == INPUTS | {"new/folder/out.png"}
    assert [path.name for path in desk.iterdir() if path.is_file() and path.name not in INPUTS] == [CACHE]


def test_checkpoints_are_numbered_as_the_references(transfer, desk):
    transfer("--iterations", "6", "--checkpoint-output", "new/{:03}.png", "--checkpoint-iterations", "4").succeeded()
    assert names(desk) == INPUTS | {"out.png", "new/000.png", "new/004.png", "new/006.png"}
    assert (desk / "out.png").read_bytes() == (desk / "new/006.png").read_bytes()


def test_stdout_holds_the_references_lines_and_stderr_the_rest(transfer, desk):
    outcome = transfer()
    assert [shape_of(line) for line in outcome.out.splitlines()] == [
        "Optimization started...",
        "Iteration    1/   2",
        "Iteration    2/   2 (times)",
        "content loss: number",
        "  style loss: number",
        "     tv loss: number",
        "  total loss: number",
    ]
    assert "tiny.mat" in outcome.err and "30 x 24 pixels" in outcome.err and "CPU" in outcome.err


def test_without_a_folder_the_progress_files_go_beside_the_output(transfer, desk):
    """The reference writes them to the root of the file system."""
    transfer("--progress-write", "--progress-plot").succeeded()
    assert names(desk) == INPUTS | {"out.png", "progress.txt", "progress.png"}
    assert np.loadtxt(desk / "progress.txt").shape == (5,)  # without --print-iterations the last losses alone


def test_a_seed_repeats_to_the_bit(transfer, desk):
    for name, seed in [("one", 3), ("two", 3), ("three", 4)]:
        transfer("--iterations", "4", "--output", f"{name}.png", "--seed", str(seed)).succeeded()
    one, two, three = ((desk / f"{name}.png").read_bytes() for name in ("one", "two", "three"))
    assert one == two != three


def test_without_a_seed_runs_differ(transfer, desk):
    for name in ("one", "two"):
        transfer("--iterations", "4", "--output", f"{name}.png").succeeded()
    assert (desk / "one.png").read_bytes() != (desk / "two.png").read_bytes()


@pytest.mark.parametrize("width,expected", [(17, (17, 13)), (30, (30, 24)), (61, (61, 48)), (1, (1, 1))])
def test_width(transfer, desk, width, expected):
    transfer("--width", width).succeeded()
    assert size_of(desk / "out.png") == expected


def test_jpeg_quality_is_95(transfer, desk):
    transfer("--output", "out.jpg").succeeded()
    Image.new("RGB", (8, 8)).save(desk / "wanted.jpg", quality=95)
    with Image.open(desk / "out.jpg") as found, Image.open(desk / "wanted.jpg") as wanted:
        assert found.format == "JPEG" and found.quantization == wanted.quantization


@pytest.mark.parametrize("ending", ["png", "jpg", "JPEG", "bmp", "tif", "webp", "gif", "ppm"])
def test_formats(transfer, desk, ending):
    transfer("--output", f"out.{ending}").succeeded()
    assert read_image(desk / f"out.{ending}").shape == (24, 30, 3)


def test_two_styles_differ_from_one(transfer, desk, picture):
    picture(desk / "t.png", 9, 50, 3)
    common = ["--seed", "1", "--iterations", "3", "--initial-noiseblend", "0"]
    runs = {
        "one": [],
        "two": ["--styles", "s.png", "t.png"],
        "weighted": ["--styles", "s.png", "t.png", "--style-blend-weights", "9", "1"],
        "scaled": ["--styles", "s.png", "t.png", "--style-scales", "0.5", "2"],
    }
    for name, flags in runs.items():
        transfer(*common, *flags, "--output", f"{name}.png").succeeded()
    assert len({(desk / f"{name}.png").read_bytes() for name in runs}) == len(runs)


@pytest.mark.parametrize(
    "flags,start",
    [
        (["--initial", "i.png"], "i.png"),
        (["--initial-noiseblend", "0"], "c.png"),
        (["--initial", "i.png", "--initial-noiseblend", "0"], "i.png"),
    ],
)
def test_the_start_picture(transfer, desk, picture, flags, start):
    """A learning rate of 0 leaves the picture where it began (cut off: one level less is rounding)."""
    picture(desk / "i.png", 24, 30, 5)
    transfer("--learning-rate", "0", *flags).succeeded()
    assert np.abs(read_image(desk / "out.png").astype(int) - read_image(desk / start).astype(int)).max() <= 1


@pytest.mark.parametrize("flags", [[], ["--initial-noiseblend", "1"], ["--initial", "i.png", "--initial-noiseb", "1"]])
def test_the_start_is_noise(transfer, desk, picture, flags):
    picture(desk / "i.png", 24, 30, 5)
    transfer("--learning-rate", "0", *flags).succeeded()
    pixels = read_image(desk / "out.png").astype(float)
    np.testing.assert_allclose(pixels.mean(axis=(0, 1)), [123.68, 116.779, 103.939], atol=1)
    assert pixels.std(axis=(0, 1)).max() < 1.5


def test_the_initial_picture_is_squeezed_to_the_contents_size(transfer, desk, picture):
    picture(desk / "i.png", 60, 10, 5)
    transfer("--initial", "i.png").succeeded()
    assert size_of(desk / "out.png") == (30, 24)


def test_preserve_colors_keeps_the_contents_colours(transfer, desk):
    """The result's Cb and Cr are the content's, whatever was painted."""
    grey = np.repeat(np.arange(24 * 30, dtype=np.uint8).reshape(24, 30, 1), 3, axis=2)
    Image.fromarray(grey).save(desk / "c.png")
    for name, flags in [("kept", ["--preserve-colors"]), ("painted", ["--preserve-colors=FALSE"])]:
        transfer("--iterations", "5", "--output", f"{name}.png", *flags).succeeded()
    kept, painted = (np.ptp(read_image(desk / f"{name}.png").astype(int), axis=2).max() for name in ("kept", "painted"))
    assert kept <= 1 < painted


def test_the_output_is_refreshed_on_the_way(transfer, desk, monkeypatch):
    counts = {}
    replace = os.replace

    def counting(source, target):
        if os.fspath(target).endswith("out.png"):
            counts[refresh] += 1
        return replace(source, target)

    monkeypatch.setattr(files.os, "replace", counting)
    for refresh in ("0", "1000", "0.0000001"):
        counts[refresh] = 0
        transfer("--iterations", "4", "--refresh", refresh, "--overwrite").succeeded()
    assert counts == {"0": 1, "1000": 2, "0.0000001": 4}  # at the end; after the first step too; after every step


@pytest.mark.parametrize("precision", ["bf16", "auto"])
def test_other_precisions_run(transfer, desk, precision):
    transfer("--precision", precision).succeeded()
    assert size_of(desk / "out.png") == (30, 24)


# --- the network --------------------------------------------------------------------------------------------------


def without_network(desk, *more):
    return ["--content", "c.png", "--styles", "s.png", "--output", "out.png", "--iterations", "1", *more]


def test_without_a_network_the_compact_one_is_taken(cli, desk):
    outcome = cli(*without_network(desk))
    outcome.succeeded()
    assert "Network: compact network" in outcome.err and "download_network.sh" in outcome.err
    assert size_of(desk / "out.png") == (30, 24)


def test_the_compact_network_can_be_asked_for(cli, desk):
    (desk / "tiny.mat").rename(desk / "imagenet-vgg-verydeep-19.mat")
    outcome = cli(*without_network(desk, "--network", "compact", "--content-weight-blend", "0.5", "--pooling", "avg"))
    outcome.succeeded()
    assert "Network: compact network" in outcome.err


def test_vgg19_in_the_current_folder_is_taken(cli, desk):
    (desk / "tiny.mat").rename(desk / "imagenet-vgg-verydeep-19.mat")
    outcome = cli(*without_network(desk))
    outcome.succeeded()
    assert "VGG-19" in outcome.err and "imagenet-vgg-verydeep-19.mat" in outcome.err


def test_a_second_run_reads_the_cache(transfer, desk):
    transfer("--seed", "1", "--output", "one.png").succeeded()
    stamp = (desk / CACHE).stat().st_mtime_ns
    transfer("--seed", "1", "--output", "two.png").succeeded()
    assert (desk / CACHE).stat().st_mtime_ns == stamp
    assert (desk / "one.png").read_bytes() == (desk / "two.png").read_bytes()


# --- odd pictures that must work ----------------------------------------------------------------------------------


def palette(path):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 26, 3), dtype=np.uint8)).quantize(7)
    image.save(path, transparency=2)


def exif_rotated(path):
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (26, 20, 3), dtype=np.uint8))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(path, exif=exif)


def animation(path):
    frames = [Image.new("RGB", (26, 20), colour) for colour in ("red", "green")]
    frames[0].save(path, save_all=True, append_images=frames[1:])


def noise(mode, channels):
    def save(path):
        shape = (20, 26, channels) if channels > 1 else (20, 26)
        Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8), mode).save(path)

    return save


ODD = {
    "one_pixel.png": (lambda path: Image.new("RGB", (1, 1), "teal").save(path), (1, 1)),
    "one_column.png": (lambda path: Image.new("RGB", (1, 40), "teal").save(path), (1, 40)),
    "palette.png": (palette, (26, 20)),
    "sixteen.png": (
        lambda path: Image.fromarray(np.random.default_rng(0).integers(0, 65536, (20, 26), dtype=np.uint16)).save(path),
        (26, 20),
    ),
    "sixteen.tif": (
        lambda path: Image.fromarray(np.random.default_rng(0).integers(0, 65536, (20, 26), dtype=np.uint16)).save(path),
        (26, 20),
    ),
    "cmyk.jpg": (noise("CMYK", 4), (26, 20)),
    "grey_alpha.png": (noise("LA", 2), (26, 20)),
    "alpha.png": (noise("RGBA", 4), (26, 20)),
    "grey.jpg": (noise("L", 1), (26, 20)),
    "one_bit.png": (lambda path: Image.new("1", (26, 20), 1).save(path), (26, 20)),
    "turned.jpg": (exif_rotated, (26, 20)),
    "moving.gif": (animation, (26, 20)),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_picture_works_as_content_style_and_start(transfer, desk, name):
    make, size = ODD[name]
    make(desk / name)
    transfer("--content", name, "--styles", name, "--initial", name).succeeded()
    assert size_of(desk / "out.png") == size


def test_a_style_that_shrinks_to_nothing_is_kept_at_one_pixel_with_a_warning(transfer, desk, picture):
    picture(desk / "wide.png", 2, 400, 1)
    outcome = transfer("--styles", "wide.png", "s.png")
    outcome.succeeded()
    assert [line for line in outcome.err.splitlines() if "Warning" in line and "wide.png" in line]
    assert "s.png" not in outcome.err


# --- bad pictures -------------------------------------------------------------------------------------------------


def cut(share):
    def make(path):
        with io.BytesIO() as file:
            picture = np.random.default_rng(0).integers(0, 256, (60, 60, 3), dtype=np.uint8)
            Image.fromarray(picture).save(file, "JPEG" if path.suffix == ".jpg" else "PNG")
            path.write_bytes(file.getvalue()[: int(len(file.getvalue()) * share)])

    return make


def bomb(path):
    """A PNG that claims to be 60000 x 60000 pixels."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")))


BAD = {
    "missing.jpg": lambda path: None,
    "empty.jpg": lambda path: path.touch(),
    "folder.jpg": lambda path: path.mkdir(),
    "text.jpg": lambda path: path.write_text("not a picture"),
    "program.png": lambda path: path.write_bytes(b"\x7fELF" + bytes(200)),
    "cut_in_the_middle.jpg": cut(0.5),
    "cut_in_the_middle.png": cut(0.5),
    "cut_near_the_end.png": cut(0.97),
    "header_only.png": cut(0.003),
    "bomb.png": bomb,
}


@pytest.mark.parametrize("flag", ["--content", "--styles", "--initial"])
@pytest.mark.parametrize("name", BAD)
def test_a_bad_picture_is_named_and_nothing_is_touched(transfer, desk, name, flag):
    BAD[name](desk / name)
    (desk / "out.png").write_bytes(b"precious")
    before = snapshot(desk)
    transfer(flag, name, "--overwrite").refused(name)
    assert snapshot(desk) == before


def test_a_bad_picture_among_the_styles_is_named(transfer, desk):
    (desk / "bad.png").write_text("no")
    outcome = transfer("--styles", "s.png", "bad.png", "s.png")
    outcome.refused("bad.png")


# --- bad flags ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "flags",
    [
        "--iterations 0", "--iterations -5", "--iterations many", "--print-iterations 0", "--width 0", "--width -3",
        "--style-scales 0", "--style-scales -1", "--style-scales nan", "--style-scales inf", "--style-scales 1 1",
        "--style-blend-weights -1", "--style-blend-weights 0", "--style-blend-weights 1 2", "--style-blend-weights nan",
        "--beta1 1", "--beta1 nan", "--beta2 -0.1", "--beta2 1.5", "--initial-noiseblend -0.5", "--pooling median",
        "--pooling MAX2", "--preserve-colors=maybe", "--seed x", "--seed 99999999999999999999999999",
        "--learning-rate fast", "--file-format onnx", "--precision float8", "--device toaster", "--device cuda:99",
        "--gpu_ids one", "--gpu_ids=--1", "--gpu_ids=",
        "--checkpoint-iterations 0 --checkpoint-output ck_%s.png", "--unknown 3", "extra",
    ],
)  # fmt: skip
def test_a_bad_value_is_refused_and_nothing_is_touched(transfer, desk, flags):
    (desk / "out.png").write_bytes(b"precious")
    before = snapshot(desk)
    word = "GPU" if "cuda" in flags else re.match(r"(--)?([\w-]+)", flags).group(2)
    transfer(*flags.split(), "--overwrite").refused(word)
    assert snapshot(desk) == before


@pytest.mark.parametrize("exponent", ["1e60", "1e100", "-2"])
def test_an_extreme_style_layer_exponent_works_or_is_refused(transfer, desk, exponent):
    outcome = transfer("--style-layer-weight-exp", exponent)
    if outcome.status:
        outcome.refused("--style-layer-weight-exp")


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("flag", ["--style-scales", "--style-blend-weights"])
def test_one_number_a_style(transfer, desk, flag, count):
    outcome = transfer("--styles", "s.png", "s.png", flag, *["1"] * count)
    outcome.refused(flag, f"{count} given for 2")


@pytest.mark.parametrize("missing", ["--content", "--styles", "--output"])
def test_a_required_flag_is_missing(cli, desk, missing):
    flags = {"--content": "c.png", "--styles": "s.png", "--output": "out.png"}
    cli(*(word for pair in flags.items() if pair[0] != missing for word in pair)).refused(missing)


@pytest.mark.parametrize("flags", [["--checkpoint-output", "ck_%s.png"], ["--checkpoint-iterations", "1"]])
def test_checkpoint_flags_come_in_pairs(transfer, desk, flags):
    transfer(*flags).refused("both")


@pytest.mark.parametrize(
    "name",
    ["plain.jpg", "50%.jpg", "two_%s_%s.jpg", "{}{}.jpg", "{name}.jpg", "{0.x}.jpg", "{0[1]}.jpg", "{:q}.jpg",
     "%(a)s.jpg", "ck_%s", "ck_%s.doc"],
)  # fmt: skip
def test_a_checkpoint_name_needs_a_place_for_the_number_and_a_picture_format(transfer, desk, name):
    before = snapshot(desk)
    transfer("--checkpoint-output", name, "--checkpoint-iterations", "1").refused(name.split("_%")[0])
    assert snapshot(desk) == before


# --- bad outputs --------------------------------------------------------------------------------------------------


def test_an_output_that_exists_is_kept(transfer, desk):
    (desk / "out.png").write_bytes(b"precious")
    before = snapshot(desk)
    transfer().refused("out.png", "--overwrite")
    assert snapshot(desk) == before


def test_an_output_that_exists_is_replaced_with_overwrite(transfer, desk):
    (desk / "out.png").write_bytes(b"old")
    transfer("--overwrite").succeeded()
    assert size_of(desk / "out.png") == (30, 24)


@pytest.mark.parametrize("output", ["c.png/out.png", "folder", "tiny.mat/deep/er/out.png", "out", "out.doc", "out.svg"])
def test_an_output_that_cannot_be_written_is_refused_before_the_run(transfer, desk, output):
    (desk / "folder").mkdir()
    before = snapshot(desk)
    outcome = transfer("--output", output, "--overwrite")
    outcome.refused(output.split("/")[0])
    assert "Iteration" not in outcome.out and snapshot(desk) == before


def test_a_checkpoint_folder_that_cannot_be_made_is_refused_before_the_run(transfer, desk):
    outcome = transfer("--checkpoint-output", "c.png/ck_%s.png", "--checkpoint-iterations", "1")
    outcome.refused("c.png")
    assert "Iteration" not in outcome.out


def test_a_folder_that_takes_no_files_is_refused_before_the_run(transfer, desk):
    """/proc takes no new files, not even root's."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("this system has no /proc")
    outcome = transfer("--output", "/proc/self/fd/out.png")
    outcome.refused("/proc/self/fd")
    assert "Iteration" not in outcome.out


# --- bad networks -------------------------------------------------------------------------------------------------


def test_a_missing_network_is_refused_with_a_way_to_get_it(transfer, desk):
    transfer("--network", "nothing.mat").refused("Network nothing.mat does not exist", "download_network.sh")


@pytest.mark.parametrize("name", ["bad.mat", "bad.pth", "bad.safetensors"])
@pytest.mark.parametrize(
    "content", [b"", b"rubbish" * 100, b"<html>not found</html>", b"MATLAB 5.0 MAT-file" + b"x" * 500]
)
def test_a_bad_network_is_refused_and_nothing_is_touched(transfer, desk, name, content):
    (desk / name).write_bytes(content)
    (desk / "out.png").write_bytes(b"precious")
    before = snapshot(desk)
    transfer("--network", name, "--overwrite").refused(name)
    assert snapshot(desk) == before


# --- the order of the checks --------------------------------------------------------------------------------------

WRONG = {
    "network": (["--network", "nothing.mat"], "nothing.mat"),
    "pair": (["--checkpoint-iterations", "2"], "both"),
    "format": (["--checkpoint-iterations", "2", "--checkpoint-output", "plain.png"], "plain.png"),
    "picture": (["--content", "nothing.png"], "nothing.png"),
    "exists": ([], "out.png exists"),
    "folder": (["--output", "c.png/out.png"], "c.png"),
}


@pytest.mark.parametrize(
    "first,second",
    [("network", "pair"), ("network", "format"), ("network", "picture"), ("pair", "picture"), ("format", "picture"),
     ("picture", "exists"), ("picture", "folder"), ("format", "exists"), ("network", "exists")],
)  # fmt: skip
def test_the_first_of_two_mistakes_is_told(transfer, desk, first, second):
    """In the reference's order: network, checkpoint flags, their format, pictures, output."""
    (desk / "out.png").write_bytes(b"precious")
    transfer(*WRONG[second][0], *WRONG[first][0]).refused(WRONG[first][1])


# --- losses that are no numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [["--learning-rate", "1e30"], ["--learning-rate", "1e37"]])
def test_a_loss_that_is_not_finite_saves_the_last_good_picture(transfer, desk, flags):
    outcome = transfer("--initial", "c.png", "--iterations", "50", *flags)
    outcome.refused("--learning-rate", "out.png", status=1)
    assert np.abs(read_image(desk / "out.png").astype(int) - read_image(desk / "c.png").astype(int)).max() <= 1
    assert names(desk) == INPUTS | {"out.png"}


@pytest.mark.parametrize("flag", ["--content-weight", "--learning-rate", "--tv-weight"])
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e39"])
def test_flags_that_are_not_finite(transfer, desk, flag, value):
    transfer(f"{flag}={value}").refused(flag, "finite")
    assert not (desk / "out.png").exists()


def test_weights_that_make_the_first_loss_infinite(transfer, desk):
    transfer("--style-weight", "1e37").refused("finite", status=1)
    assert size_of(desk / "out.png") == (30, 24)


# --- exit statuses of a real process ------------------------------------------------------------------------------


def run_base(script, desk, *more):
    base = ["--content", "c.png", "--styles", "s.png", "--output", "out.png", "--network", "tiny.mat"]
    return script(*base, *more, cwd=desk)


def test_process_with_a_bad_flag(script, desk):
    outcome = run_base(script, desk, "--pooling", "median")
    outcome.refused("--pooling", "median")
    assert len(outcome.err.splitlines()) == 1 and outcome.out == ""


def test_process_with_a_bad_picture(script, desk):
    outcome = run_base(script, desk, "--content", "nothing.png")
    outcome.refused("nothing.png")
    assert len(outcome.err.splitlines()) == 1 and outcome.out == ""


def test_process_whose_loss_is_not_finite(script, desk):
    run_base(script, desk, "--learning-rate", "1e30", "--seed", "1").refused("--learning-rate", status=1)
    assert size_of(desk / "out.png") == (30, 24)


def test_process_with_a_network_that_holds_code(script, desk):
    class Malice:
        def __reduce__(self):
            return os.mkdir, (str(desk / "victim"),)

    torch.save({"features.0.weight": Malice()}, desk / "bad.pth")
    outcome = run_base(script, desk, "--network", "bad.pth")
    outcome.refused("bad.pth", "code")
    assert len(outcome.err.splitlines()) == 1 and not (desk / "victim").exists()


# --- memory -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [2000, 12000])
def test_too_little_memory_is_explained(transfer, desk, little_memory, width):
    """The smaller width fails in the network, the larger already when the pictures are resized."""
    transfer("--output", "warm_up.png").succeeded()
    with little_memory(100):
        outcome = transfer("--width", width)
    outcome.refused("not enough memory", "--width")
    assert "out.png" not in names(desk)
