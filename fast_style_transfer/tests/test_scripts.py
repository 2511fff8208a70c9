"""The bash scripts: test.sh and test2.sh with a Python that only writes down what it is asked, the downloads against a
small web server on this machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shared_scripts.testing import WebServer, offline_environment, web_server, zip_bytes

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared_scripts"
BASH = shutil.which("bash")
pytestmark = [
    pytest.mark.skipif(BASH is None, reason="the scripts need bash (on Windows: Git Bash)"),
    pytest.mark.skipif(os.name == "nt", reason="a script cannot stand for a program on Windows"),
]

# The published styles: Google Drive's number and the SHA-256
STYLES = {
    "la_muse": ("QU1sYW02Sm9kV3c", "987cd8974599aa9063e6571f18403824d91de8af5d980286ccf2f72e21d3c2a7"),
    "rain_princess": ("aEJlSFlIeUxweGs", "c37921008b4410573a2974771c44e3555bb331a778281122499874b84dd9a9b0"),
    "scream": ("Z0RyTGU0Q2xiU28", "d93428ac5a65750948f2b7cc095b87e2f17cbde8068acaaf361271da3c83df0e"),
    "udnie": ("b0NuYmk2ZEpOR0E", "fa21715cd8a8b0ea252eae36e9d4a27f83b0dca7c99126e3de9bed58aaf3c694"),
    "wave": ("VGk0TC10bDF1S28", "0c3184da55a1d901598dd4ee28f524584a6b8795192ed11800e15251da66a99a"),
    "wreck": ("SjNrM3J5N2gweVk", "ddd6e396c01d5d20c5b972d2066a8384b2bac0ea9d61a560bedc50398e977b0b"),
}
PAGE = b"<!DOCTYPE html><html><title>Quota exceeded</title></html>" + b" " * 200


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of the project's scripts and of what they call, in a folder with a blank in its name."""
    root = tmp_path / "play ground"
    for script in ("setup.sh", "download_styles.sh", "test.sh", "test2.sh", "scripts/common.sh"):
        (root / "fast_style_transfer" / script).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / script, root / "fast_style_transfer" / script)
    (root / "shared_scripts").mkdir()
    for name in ("common.sh", "download.sh", "download_vgg19.sh", "unpack.py"):
        shutil.copy(SHARED / name, root / "shared_scripts")
    return root / "fast_style_transfer"


@pytest.fixture
def run(tree, tmp_path):
    """`run("test.sh", *words, cwd=…, PYTHON=…)` runs a script of the copy; by default in its own folder."""

    def call(script, *words, cwd=tree, **changes) -> subprocess.CompletedProcess:
        return subprocess.run(
            [BASH, str(tree / script), *map(str, words)],
            cwd=cwd,
            env=offline_environment(tmp_path, **{"PYTHON": sys.executable} | changes),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return call


def refused(result, *words: str, status: int = 2) -> None:
    """It ended with one line `error: …` that holds the words."""
    assert result.returncode == status, result
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    for word in words:
        assert word in line, (word, line)


def write(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


# --- test.sh and test2.sh -----------------------------------------------------------------------------------------


def program(path: Path, text: str) -> Path:
    write(path, f"#!/bin/sh\n{text}\n".encode()).chmod(0o755)
    return path


@pytest.fixture
def painted(run, tmp_path):
    """`painted("test.sh", *words)`: what evaluate.py would have been called with; a list of words."""
    record = tmp_path / "words"
    fake = program(tmp_path / "fake python", 'for word; do printf "%s\\n" "$word"; done > "$HOME/words"')

    def call(script, *words, **options) -> list[str]:
        record.unlink(missing_ok=True)
        result = run(script, *words, PYTHON=str(fake), **options)
        assert (result.returncode, result.stderr) == (0, ""), result
        return record.read_text().splitlines()

    return call


@pytest.fixture
def desk(tree) -> Path:
    """The copy with pictures and styles of every kind."""
    for name in ("fhr.jpg", "city.png", "park.JPEG", "me.jpg", "me.2.jpg", "two.png", "two.jpg", "notes.txt"):
        write(tree / "contents" / name)
    (tree / "contents" / "folder.jpg").mkdir()
    write(tree / "ckpts" / "la_muse.ckpt")
    write(tree / "ckpts" / "wave" / "fns.ckpt.index")
    write(tree / "ckpts" / "old" / "model.ckpt")
    write(tree / "ckpts" / "mine.ckpt.index")
    write(tree / "ckpts" / "published" / "wreck.ckpt")
    write(tree / "ckpts" / "published" / "wave.ckpt")
    (tree / "ckpts" / "empty").mkdir()
    return tree


def command(tree, style: str, content: str, out: str, *more: str) -> list[str]:
    script = f"{tree}/evaluate.py"
    return [script, "--checkpoint", style, "--in-path", content, "--out-path", out, *more]


def test_a_content_and_a_style_by_name(desk, painted):
    found = painted("test.sh", "fhr", "la_muse")
    assert found == command(desk, "ckpts/la_muse.ckpt", "contents/fhr.jpg", "outputs/fhr_la_muse.jpg")
    assert (desk / "outputs").is_dir()


@pytest.mark.parametrize(
    "content, path, name",
    [
        ("fhr.jpg", "contents/fhr.jpg", "fhr"),
        ("city", "contents/city.png", "city"),
        ("park", "contents/park.JPEG", "park"),
        ("me", "contents/me.jpg", "me"),
        ("me.2", "contents/me.2.jpg", "me.2"),
        ("two", "contents/two.jpg", "two"),
        ("contents/city", "contents/city.png", "city"),
        ("contents/fhr.jpg", "contents/fhr.jpg", "fhr"),
        ("contents\\fhr.jpg", "contents/fhr.jpg", "fhr"),
        ("../elsewhere/a b.png", "../elsewhere/a b.png", "a b"),
        ("here.png", "here.png", "here"),
    ],
)
def test_every_way_to_name_a_content(desk, painted, content, path, name):
    write(desk.parent / "elsewhere" / "a b.png")
    write(desk / "here.png")
    write(desk / "fhr.jpg")  # contents/ goes before the current folder
    assert painted("test.sh", content, "wave") == command(desk, "ckpts/wave", path, f"outputs/{name}_wave.jpg")


@pytest.mark.parametrize(
    "style, path, name",
    [
        ("la_muse.ckpt", "ckpts/la_muse.ckpt", "la_muse"),
        ("wave", "ckpts/wave", "wave"),
        ("wave.ckpt", "ckpts/wave", "wave"),
        ("old", "ckpts/old", "old"),
        ("mine", "ckpts/mine.ckpt", "mine"),
        ("wreck", "ckpts/published/wreck.ckpt", "wreck"),
        ("ckpts/la_muse.ckpt", "ckpts/la_muse.ckpt", "la_muse"),
        ("ckpts\\la_muse.ckpt", "ckpts/la_muse.ckpt", "la_muse"),
        ("ckpts/wave/", "ckpts/wave", "wave"),
        ("ckpts/wave/fns.ckpt", "ckpts/wave/fns.ckpt", "wave"),
        ("ckpts/wave/fns.ckpt.index", "ckpts/wave/fns.ckpt.index", "wave"),
        ("ckpts/old/model.ckpt", "ckpts/old/model.ckpt", "model"),
        ("../runs/sunflowers", "../runs/sunflowers", "sunflowers"),
        ("local", "local", "local"),
    ],
)
def test_every_way_to_name_a_style(desk, painted, style, path, name):
    write(desk.parent / "runs" / "sunflowers" / "checkpoint")
    write(desk / "local" / "fns.ckpt.index")
    write(desk / "wave")  # ckpts/ goes before the current folder
    assert painted("test.sh", "fhr", style) == command(desk, path, "contents/fhr.jpg", f"outputs/fhr_{name}.jpg")


def test_from_another_folder_the_scripts_own_are_used(desk, painted, tmp_path):
    found = painted("test.sh", "fhr", "wave", cwd=tmp_path)
    assert found == command(desk, f"{desk}/ckpts/wave", f"{desk}/contents/fhr.jpg", f"{desk}/outputs/fhr_wave.jpg")


def test_the_current_folders_own_go_first(desk, painted, tmp_path):
    for name in ("contents/fhr.png", "ckpts/wave.ckpt", "outputs/old.jpg"):
        write(tmp_path / "work" / name)
    found = painted("test.sh", "fhr", "wave", cwd=tmp_path / "work")
    assert found == command(desk, "ckpts/wave.ckpt", "contents/fhr.png", "outputs/fhr_wave.jpg")
    found = painted("test.sh", "city", "la_muse", cwd=tmp_path / "work")
    assert found == command(desk, f"{desk}/ckpts/la_muse.ckpt", f"{desk}/contents/city.png", "outputs/city_la_muse.jpg")


@pytest.mark.parametrize("content", ["mine", "contents/mine.jpg", "{}/contents/mine.jpg"])
def test_results_of_ones_own_pictures_stay_here(desk, painted, tmp_path, content):
    write(tmp_path / "work" / "contents" / "mine.jpg")
    for script, words in ("test.sh", ["wave"]), ("test2.sh", []):
        found = painted(script, content.format(tmp_path / "work"), *words, cwd=tmp_path / "work")
        assert found[-1] == ("outputs/mine_wave.jpg" if words else "outputs")
        (tmp_path / "work" / "outputs").rmdir()
    assert not (desk / "outputs").exists()


def test_other_words_go_to_evaluate(desk, painted):
    more = ["--preserve-colors", "--max-size", "500", "", "two words"]
    found = painted("test.sh", "fhr", "wave", *more)
    assert found == command(desk, "ckpts/wave", "contents/fhr.jpg", "outputs/fhr_wave.jpg", *more)


@pytest.mark.parametrize("script, words", [("test.sh", ["fhr", "wave"]), ("test2.sh", ["fhr"])])
def test_evaluates_exit_status_is_theirs(desk, run, tmp_path, script, words):
    fake = program(tmp_path / "fake", "echo from python; exit 7")
    result = run(script, *words, PYTHON=str(fake))
    assert result.returncode == 7 and "from python" in result.stdout


def test_names_are_never_run(desk, painted, tmp_path):
    name = "a $(touch pwned) `touch pwned` 'b'; touch pwned"
    write(desk / "contents" / f"{name}.jpg")
    write(desk / "ckpts" / f"{name}.ckpt")
    found = painted("test.sh", name, name)
    assert found[2:5:2] == [f"ckpts/{name}.ckpt", f"contents/{name}.jpg"]
    assert f"ckpts/{name}.ckpt" in painted("test2.sh", name)
    assert not list(tmp_path.rglob("pwned"))


def test_a_content_that_is_not_there(desk, run):
    for name in ("nobody", "notes", "folder", "contents/nobody.jpg", "contents\\nobody.jpg"):
        refused(run("test.sh", name, "wave"), f"no picture '{name.replace(chr(92), '/')}'", "city, fhr, me, me.2, park")
    assert not (desk / "outputs").exists()


def test_a_style_that_is_not_there(desk, run):
    for name in ("nobody", "nobody.ckpt", "empty/nobody", "published"):
        refused(run("test.sh", "fhr", name), "no style '", name, "la_muse, mine, old, wave, wreck")


def test_nothing_to_choose_from(tree, run):
    refused(run("test.sh", "fhr", "wave"), "no picture 'fhr'", "contents/ has: nothing")
    write(tree / "contents" / "fhr.jpg")
    refused(run("test.sh", "fhr", "wave"), "no style 'wave'", "ckpts/ has: nothing")
    refused(run("test2.sh", "fhr"), "no styles in ckpts/", "download_styles.sh")


@pytest.mark.parametrize("words", [[], ["fhr"], ["fhr", ""], ["", "wave"], ["--preserve-colors", "fhr", "wave"]])
def test_too_few_words(desk, run, words):
    refused(run("test.sh", *words), "CONTENT STYLE", "--help")


@pytest.mark.parametrize("script", ["test.sh", "test2.sh", "setup.sh", "download_styles.sh"])
@pytest.mark.parametrize("words", [["-h"], ["--help"]])
def test_help(tree, run, script, words):
    result = run(script, *words)
    assert result.returncode == 0 and f"  {script} " in result.stdout and result.stderr == ""
    assert sorted(os.listdir(tree)) == ["download_styles.sh", "scripts", "setup.sh", "test.sh", "test2.sh"]


def test_all_styles_in_one_call(desk, painted):
    styles = ["ckpts/la_muse.ckpt", "ckpts/mine.ckpt", "ckpts/old", "ckpts/wave", "ckpts/published/wreck.ckpt"]
    script = f"{desk}/evaluate.py"
    expected = [script, "--checkpoint", *styles, "--in-path", "contents/me.jpg", "--out-path", "outputs"]
    assert painted("test2.sh", "me") == expected
    assert painted("test2.sh", "me", "--max-size", "9") == [*expected, "--max-size", "9"]
    assert (desk / "outputs").is_dir()


def test_without_a_content_the_first_is_taken(desk, painted):
    for words in ([], ["--preserve-colors"]):
        found = painted("test2.sh", *words)
        assert found[found.index("--in-path") + 1] == "contents/city.png"
        assert found[found.index("--out-path") + 1 :] == ["outputs", *words]


def test_no_content_at_all(tree, run):
    write(tree / "ckpts" / "wave.ckpt")
    refused(run("test2.sh"), "no pictures in contents/")
    refused(run("test2.sh", "nobody"), "no picture 'nobody'")


def test_a_single_style_is_in_the_name_too(tree, painted):
    """evaluate.py, asked for one style in a folder, keeps the picture's name."""
    write(tree / "contents" / "me.2.png")
    write(tree / "ckpts" / "wave.ckpt")
    assert painted("test2.sh") == command(tree, "ckpts/wave.ckpt", "contents/me.2.png", "outputs/me.2_wave.png")


def test_styles_here_and_beside_the_script(desk, painted, tmp_path):
    write(tmp_path / "work" / "ckpts" / "wave.ckpt")
    write(tmp_path / "work" / "ckpts" / "night.ckpt")
    found = painted("test2.sh", "fhr", cwd=tmp_path / "work")
    theirs = [f"{desk}/ckpts/{name}" for name in ("la_muse.ckpt", "mine.ckpt")]
    last = [f"{desk}/ckpts/old", "ckpts/wave.ckpt", f"{desk}/ckpts/published/wreck.ckpt"]
    assert found[2 : found.index("--in-path")] == [*theirs, "ckpts/night.ckpt", *last]


# --- which Python -------------------------------------------------------------------------------------------------

PROGRAMS = "awk bash cat dirname mkdir sed sort".split()
ANSWERS = 'if [ "$1" = -c ]; then exit {}; fi; echo "painted by {}"'


@pytest.fixture
def few_programs(tmp_path) -> Path:
    """A folder for PATH with what the scripts use, and no Python."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).symlink_to(shutil.which(name))
    return folder


@pytest.mark.parametrize("place", [".venv/bin/python", ".venv/Scripts/python.exe"])
def test_the_playgrounds_own_python(desk, run, few_programs, place):
    program(few_programs / "python3", ANSWERS.format(0, "the system's"))
    program(desk.parent / place, ANSWERS.format(0, "ours"))
    result = run("test.sh", "fhr", "wave", PATH=str(few_programs), PYTHON="")
    assert result.returncode == 0 and "painted by ours" in result.stdout, result


def test_a_python_without_tensorflow_is_passed_over(desk, run, few_programs):
    program(desk.parent / ".venv/bin/python", ANSWERS.format(1, "ours"))
    program(few_programs / "python3", ANSWERS.format(1, "python3"))
    program(few_programs / "python", ANSWERS.format(0, "python"))
    result = run("test.sh", "fhr", "wave", PATH=str(few_programs), PYTHON="")
    assert result.returncode == 0 and "painted by python\n" in result.stdout, result


@pytest.mark.parametrize("script, words", [("test.sh", ["fhr", "wave"]), ("test2.sh", ["fhr"])])
def test_no_python_with_tensorflow(desk, run, few_programs, script, words):
    program(few_programs / "python3", ANSWERS.format(1, "python3"))
    refused(run(script, *words, PATH=str(few_programs), PYTHON=""), "make setup", "PYTHON")


def test_the_question_about_tensorflow_is_answered_by_a_real_python(desk, run, few_programs):
    """The other tests' programs answer anything: this one has TensorFlow, and fails only for want of evaluate.py."""
    program(few_programs / "python3", f'exec "{sys.executable}" "$@"')
    result = run("test.sh", "fhr", "wave", PATH=str(few_programs), PYTHON="")
    assert result.returncode == 2 and "can't open file" in result.stderr and "evaluate.py" in result.stderr
    program(few_programs / "python3", f'exec "{sys.executable}" -I -S "$@"')  # without the installed packages
    refused(run("test.sh", "fhr", "wave", PATH=str(few_programs), PYTHON=""), "no Python with TensorFlow")


def test_a_python_that_is_not_there(desk, run):
    refused(run("test.sh", "fhr", "wave", PYTHON="no-such-python"), "PYTHON", "no-such-python")


# --- downloads ----------------------------------------------------------------------------------------------------


@pytest.fixture
def server():
    with web_server() as server:
        yield server


def replace(script: Path, pairs: dict[str, str]) -> None:
    """Put this machine's addresses and checksums in the place of the real ones, which must be in the script."""
    text = script.read_text()
    for old, new in pairs.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    script.write_text(text)


def photographs(number: int) -> bytes:
    """An archive like COCO's, of photographs that do not compress."""
    contents = [b"".join(hashlib.sha256(b"%d %d" % (i, part)).digest() for part in range(100)) for i in range(number)]
    return zip_bytes((f"train2014/COCO_train2014_{i:012}.jpg", content) for i, content in enumerate(contents))


VGG = b"MATLAB 5.0" + hashlib.sha256(b"vgg").digest() * 500
COCO = photographs(3)
VGG_PATHS = [f"/vlfeat/matconvnet/models/{folder}imagenet-vgg-verydeep-19.mat" for folder in ("", "beta16/")]
COCO_PATHS = ["/s3/images.cocodataset.org/zips/train2014.zip", "/coco/zips/train2014.zip"]


@pytest.fixture
def internet(tree, server) -> WebServer:
    """vlfeat.org and COCO on this machine, small; the scripts ask there."""
    vgg_script = tree.parent / "shared_scripts" / "download_vgg19.sh"
    text = vgg_script.read_text()
    assert text.count("https://www.vlfeat.org/") == 2
    vgg_script.write_text(text.replace("https://www.vlfeat.org/", server.url("/vlfeat/")))
    replace(
        vgg_script,
        {"abdb57167f82a2a1fbab1e1c16ad9373411883f262a1a37ee5db2e6fb0044695": hashlib.sha256(VGG).hexdigest()},
    )
    replace(
        tree / "setup.sh",
        {
            "https://s3.amazonaws.com/": server.url("/s3/"),
            "http://images.cocodataset.org/": server.url("/coco/"),
            "--md5 0da8c0bd3d6becc4dcb32757491aca88": f"--md5 {hashlib.md5(COCO).hexdigest()}",
            "all_photographs=82783": "all_photographs=3",
        },
    )
    server.add_all({VGG_PATHS[0]: VGG, COCO_PATHS[0]: COCO})
    return server


def made(folder: Path) -> list[str]:
    """The files below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


PHOTOGRAPHS = [f"train2014/COCO_train2014_{i:012}.jpg" for i in range(3)]
ALL = [".train2014.zip.unpacked", "imagenet-vgg-verydeep-19.mat", "train2014.zip", *PHOTOGRAPHS]


def test_setup_fetches_everything_into_the_current_folder_once(internet, run, tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    result = run("setup.sh", cwd=work)
    assert result.returncode == 0, result
    assert made(work / "data") == ALL and (work / "data" / "bin").is_dir()
    assert (work / "data" / "imagenet-vgg-verydeep-19.mat").read_bytes() == VGG
    assert internet.paths() == [VGG_PATHS[0], COCO_PATHS[0]]
    result = run("setup.sh", cwd=work)
    assert result.returncode == 0 and internet.paths() == [], result
    (work / "data" / "train2014.zip").unlink()  # 13 GB that nobody needs any more
    result = run("setup.sh", cwd=work)
    assert result.returncode == 0 and internet.paths() == [], result


def test_setup_says_how_much_it_is_before_it_begins(internet, run):
    lines = run("setup.sh").stdout.splitlines()
    begins = next(i for i, line in enumerate(lines) if line.startswith("downloading data/train2014.zip"))
    before = "\n".join(lines[:begins])
    assert "13.5 GB" in before and "--train-path" in before and "535 MB" in before


@pytest.mark.parametrize(
    "flag, files, paths",
    [
        ("--vgg-only", ALL[1:2], VGG_PATHS[:1]),
        ("--coco-only", [ALL[0], *ALL[2:]], COCO_PATHS[:1]),
    ],
)
def test_setup_for_one_of_the_two(internet, run, tree, flag, files, paths):
    result = run("setup.sh", flag)
    assert result.returncode == 0, result
    assert made(tree / "data") == files and internet.paths() == paths


def test_setup_tries_the_other_addresses(internet, run, tree):
    internet.resources.clear()
    internet.add_all({VGG_PATHS[1]: VGG, COCO_PATHS[1]: COCO})
    result = run("setup.sh")
    assert result.returncode == 0, result
    assert made(tree / "data") == ALL
    assert internet.paths() == VGG_PATHS + COCO_PATHS


def test_setup_goes_on_where_it_was_cut(internet, run, tree):
    internet.add(COCO_PATHS[0], COCO, cuts=1, cut_at=1000)
    result = run("setup.sh", "--coco-only")  # the first address is cut, the second has nothing
    assert result.returncode == 1 and "1000 bytes are kept" in result.stderr, result
    internet.paths()
    result = run("setup.sh", "--coco-only")
    assert result.returncode == 0, result
    assert internet.asked == [(COCO_PATHS[0], "bytes=1000-")]
    assert set(PHOTOGRAPHS) <= set(made(tree / "data"))


def test_setup_fetches_coco_though_vgg_is_not_to_be_had(internet, run, tree):
    del internet.resources[VGG_PATHS[0]]
    result = run("setup.sh")
    assert result.returncode == 1 and "small loss network" in result.stderr, result
    assert made(tree / "data") == [ALL[0], *ALL[2:]]


def test_setup_takes_no_other_file_for_coco(internet, run, tree):
    internet.add(COCO_PATHS[0], photographs(4))
    result = run("setup.sh", "--coco-only")
    assert result.returncode == 1 and "checksum is wrong" in result.stderr, result
    assert made(tree / "data") == []


def test_setup_puts_back_a_photograph_that_was_lost(internet, run, tree):
    assert run("setup.sh", "--coco-only").returncode == 0
    internet.paths()
    lost = tree / "data" / PHOTOGRAPHS[1]
    lost.unlink()
    mine = write(tree / "data" / "train2014" / "mine.jpg")
    result = run("setup.sh", "--coco-only")
    assert result.returncode == 0 and lost.stat().st_size == 3200 and mine.exists(), result
    assert internet.paths() == []


@pytest.mark.parametrize("words", [["--vgg-only", "--coco-only"], ["--vgg"], ["data"]])
def test_setup_words_that_make_no_sense(internet, run, tree, words):
    refused(run("setup.sh", *words))
    assert internet.paths() == [] and not (tree / "data").exists()


def test_setup_where_nothing_can_be_made(internet, run, tree):
    write(tree / "data")
    result = run("setup.sh")
    assert result.returncode == 1 and "cannot create the folder data/bin" in result.stderr.splitlines()[-1]
    assert internet.paths() == []


def interrupted(tree: Path, script: str) -> list[str]:
    """Ctrl-C in the first download; the OUTPUTs of all downloads that began."""
    program(
        tree.parent / "shared_scripts" / "download.sh",
        'for word; do case "$word" in http*) ;; *.mat | *.zip | *.ckpt) echo "$word" >> "$HOME/began" ;; esac; done\n'
        "trap 'exit 130' INT\nsleep 20 & wait",
    )
    # Where the tests run in the background they, and what they start, ignore Ctrl-C: this undoes it.
    listen = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    process = subprocess.Popen(
        [sys.executable, "-c", listen, BASH, str(tree / script)],
        cwd=tree,
        env=offline_environment(tree),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    began, end = tree / "began", time.monotonic() + 20
    while not began.exists() and time.monotonic() < end:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == 130
    return began.read_text().splitlines()


def test_ctrl_c_ends_setup_and_not_one_download_alone(tree):
    assert interrupted(tree, "setup.sh") == ["data/imagenet-vgg-verydeep-19.mat"]


def test_ctrl_c_ends_all_styles(tree):
    assert interrupted(tree, "download_styles.sh") == ["ckpts/published/la_muse.ckpt"]


# --- the published styles -----------------------------------------------------------------------------------------


def style_bytes(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest() * 300


def style_paths(name: str) -> list[str]:
    number = "0B9jhaT37ydSy" + STYLES[name][0]
    return [f"/a/uc?export=download&id={number}", f"/b/download?id={number}&export=download&confirm=t"]


@pytest.fixture
def drive(tree, server) -> WebServer:
    """Google Drive on this machine, with its two addresses."""
    sums = {sum: hashlib.sha256(style_bytes(name)).hexdigest() for name, (_, sum) in STYLES.items()}
    addresses = {
        '"https://drive.google.com/uc?': f'"{server.url("/a/uc?")}',
        '"https://drive.usercontent.google.com/': f'"{server.url("/b/")}',
    }
    replace(tree / "download_styles.sh", sums | addresses)
    server.add_all({style_paths(name)[0]: style_bytes(name) for name in STYLES})
    return server


def test_all_published_styles(drive, run, tree):
    result = run("download_styles.sh")
    assert result.returncode == 0, result
    assert made(tree / "ckpts" / "published") == [f"{name}.ckpt" for name in STYLES]
    for name in STYLES:
        assert (tree / "ckpts" / "published" / f"{name}.ckpt").read_bytes() == style_bytes(name)
    assert drive.paths() == [style_paths(name)[0] for name in STYLES]
    assert run("download_styles.sh").returncode == 0 and drive.paths() == []


def test_some_published_styles(drive, run, tree):
    result = run("download_styles.sh", "wave", "scream.ckpt", "--to", "my styles/")
    assert result.returncode == 0, result
    assert made(tree / "my styles") == ["scream.ckpt", "wave.ckpt"]
    assert run("download_styles.sh", "--to=other", "udnie").returncode == 0
    assert made(tree / "other") == ["udnie.ckpt"] and not (tree / "ckpts").exists()


def test_styles_go_where_test_sh_looks(drive, run, tree, tmp_path):
    assert run("download_styles.sh", "wave", cwd=tmp_path).returncode == 0
    assert made(tree / "ckpts") == ["published/wave.ckpt"]
    (tmp_path / "work" / "ckpts").mkdir(parents=True)
    assert run("download_styles.sh", "wave", cwd=tmp_path / "work").returncode == 0
    assert made(tmp_path / "work" / "ckpts") == ["published/wave.ckpt"]


def test_a_page_in_place_of_a_style(drive, run, tree):
    """Google's pages about quotas and viruses come with status 200."""
    first, second = style_paths("wave")
    drive.add_all({first: PAGE, second: style_bytes("wave")})
    result = run("download_styles.sh", "wave")
    assert result.returncode == 0 and "web page" in result.stderr, result
    assert (tree / "ckpts/published/wave.ckpt").read_bytes() == style_bytes("wave")
    assert drive.paths() == [first, second]


@pytest.mark.parametrize("body", [PAGE, style_bytes("another style"), None], ids=["page", "other file", "gone"])
def test_a_style_that_is_not_to_be_had(drive, run, tree, body):
    """Nothing is left under its name; the others are fetched; a last line says what else can be done."""
    for path in style_paths("udnie"):
        drive.resources.pop(path, None)
        if body is not None:
            drive.add(path, body)
    result = run("download_styles.sh")
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last.startswith("error: 1 of the styles") and "ckpts/published/" in last
    assert "folders/0B9jhaT37ydSyRk9UX0wwX3BpMzQ?resourcekey=0-Z9LcNHC-BTB4feKwm4loXw" in last
    assert made(tree / "ckpts" / "published") == [f"{name}.ckpt" for name in STYLES if name != "udnie"]


@pytest.mark.parametrize("words", [["wave", "starry_night"], [""], ["--too", "x"], ["--to"], ["--to", ""]])
def test_styles_nobody_published(drive, run, tree, words):
    refused(run("download_styles.sh", *words))
    assert drive.paths() == [] and not (tree / "ckpts").exists()


def test_an_unknown_style_lists_the_known(drive, run):
    refused(run("download_styles.sh", "starry_night"), "'starry_night'", "la_muse, rain_princess, scream, udnie")


# --- the files themselves -----------------------------------------------------------------------------------------


def test_they_can_be_started_by_name():
    for name in ("setup.sh", "download_styles.sh", "test.sh", "test2.sh"):
        assert os.access(PROJECT / name, os.X_OK), name
        assert b"\r" not in (PROJECT / name).read_bytes()
