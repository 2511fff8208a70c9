"""download.sh and unpack_download.py, run for real against a small web server on this machine."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import translate
from attributes import read_attributes
from options import ATTRIBUTES, make_parser
from shared_scripts.testing import offline_environment, web_server, zip_bytes

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared_scripts"
BASH = shutil.which("bash")
pytestmark = [
    pytest.mark.skipif(BASH is None, reason="the script needs bash (on Windows: Git Bash)"),
    pytest.mark.skipif(os.name == "nt", reason="a script cannot stand for a program on Windows"),
]

NAMES = ("celeba", "pretrained-celeba-128x128", "pretrained-celeba-256x256")
PAGE = b"<!DOCTYPE html><html><title>Error (404)</title></html>" + b" " * 5000
PICTURES = [(f"{i:06d}.jpg", os.urandom(600)) for i in range(1, 6)]
# As CelebA has it, with blanks that line up, and as Kaggle has it
TEXT = "5\nMale Young\n" + "".join(f"{name} {-1 if i % 2 else ' 1'}  1\n" for i, (name, _) in enumerate(PICTURES))
CSV = "image_id,Male,Young\n" + "".join(f"{name},{-1 if i % 2 else 1},1\n" for i, (name, _) in enumerate(PICTURES))
LIST = "list_attr_celeba.txt"
CELEBA = sorted([f"celeba/{LIST}", *(f"celeba/images/{name}" for name, _ in PICTURES)])


def pictures_in(folder: str) -> list[tuple[str, bytes]]:
    return [(folder + name, content) for name, content in PICTURES]


AUTHORS = zip_bytes([*pictures_in("celeba/images/"), (f"celeba/{LIST}", TEXT)])
OFFICIAL = zip_bytes([("img_align_celeba/", b""), *pictures_in("img_align_celeba/")])
KAGGLES = zip_bytes(
    [
        ("list_attr_celeba.csv", CSV),
        ("list_eval_partition.csv", "x,y\n"),
        *pictures_in("img_align_celeba/img_align_celeba/"),
    ]
)
NETWORKS = [(f"200000-{kind}.ckpt", os.urandom(3000)) for kind in "GD"]
MODELS = zip_bytes(NETWORKS)


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of the script and of what it calls, in a folder with a blank in its name."""
    root = tmp_path / "play ground"
    for folder, names in (
        (PROJECT, ("download.sh", "unpack_download.py", "attributes.py")),
        (SHARED, ("__init__.py", "common.sh", "download.sh", "unpack.py", "cli.py", "files.py")),
    ):
        (root / folder.name).mkdir(parents=True)
        for name in names:
            shutil.copy(folder / name, root / folder.name)
    return root / "stargan"


@pytest.fixture
def server():
    with web_server() as server:
        yield server


@pytest.fixture
def start(tree, tmp_path, server):
    """`start(*words, cwd=…, PYTHON=…)` begins a run of the copy; by default in its own folder."""

    def call(*words, cwd=tree, **changes) -> subprocess.Popen:
        script = "download.sh" if cwd == tree else str(tree / "download.sh")
        return subprocess.Popen(
            [BASH, script, *map(str, words)],
            cwd=cwd,
            env=offline_environment(tmp_path, **{"PYTHON": sys.executable, "STARGAN_URL": server.url("/")} | changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return call


@pytest.fixture
def run(start):
    """The same to its end."""

    def call(*words, **settings) -> subprocess.CompletedProcess:
        process = start(*words, **settings)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    return call


def made(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def write(path: Path, content: bytes | str = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def fine(result) -> str:
    """It ended well, without a word of complaint; what it printed."""
    assert (result.returncode, result.stderr) == (0, ""), result
    return result.stdout


def refused(result, *words: str, status: int = 1, by_hand: str = "") -> None:
    """It ended with a line `error: …` that holds the words, and behind it, where expected, how to do it by hand."""
    assert result.returncode == status, result
    line, *rest = result.stderr.splitlines()
    assert line.startswith("error: ") and all(word in line for word in words), line
    if by_hand:
        assert rest[0].startswith("How to get ") and by_hand in "\n".join(rest)
    else:
        assert rest == [], rest


def check_celeba(folder: Path) -> None:
    """CelebA is in `folder`, all of it, and its list can be read."""
    assert [name for name in made(folder) if name.startswith("celeba/")] == CELEBA
    for name, content in PICTURES:
        assert (folder / "celeba/images" / name).read_bytes() == content
    table = read_attributes(folder / "celeba" / LIST)
    assert table.names == ("Male", "Young") and [row.name for row in table.rows] == [name for name, _ in PICTURES]
    assert [row.has for row in table.rows] == [(i % 2 == 0, True) for i in range(5)]


# --- what there is ------------------------------------------------------------------------------------------------


def test_help_and_wrong_words(run, server):
    text = fine(run("--help"))
    assert all(name in text for name in NAMES)
    for unknown in ("rafd", "", "*", "celeba celeba", "pretrained-celeba-512x512"):
        refused(run(unknown), f"no '{unknown}' to fetch: there are {', '.join(NAMES)}")
    refused(run("--too", "celeba"), "--too", "--help", status=2)
    refused(run("celeba", "--to"), "--to needs a value", status=2)
    refused(run("--zip"), "--zip needs a value", status=2)
    refused(run(*NAMES, "--zip", "a.zip"), "one name", status=2)
    assert server.asked == []


def test_celeba(run, server, tree):
    server.add("/celeba.zip", AUTHORS)
    out = fine(run("celeba"))
    assert server.paths() == ["/celeba.zip"]
    check_celeba(tree / "data")
    assert made(tree / "data") == CELEBA, "the zip is needed no more"
    assert (tree / "data/celeba" / LIST).read_text() == TEXT
    again = fine(run("celeba"))
    assert "data/celeba is already here" in again and server.paths() == []
    assert out.splitlines()[-1] == again.splitlines()[-1]


def test_without_a_name_it_is_celeba_and_says_so(run, server, tree):
    server.add("/celeba.zip", AUTHORS)
    out = fine(run())
    assert "no name is given: fetching celeba" in out.splitlines()[0] and NAMES[2] in out.splitlines()[0]
    check_celeba(tree / "data")


@pytest.mark.parametrize("inside", ["", "celeba-128x128-5attrs/", "a/b/c/"])
@pytest.mark.parametrize("size", [128, 256])
def test_networks(run, server, tree, size, inside):
    junk = [("__MACOSX/._200000-G.ckpt", b"junk")]
    body = zip_bytes([*junk, *((inside + name, content) for name, content in NETWORKS)])
    server.add(f"/celeba-{size}x{size}-5attrs.zip", body)
    out = fine(run(f"pretrained-celeba-{size}x{size}"))
    folder = tree / f"stargan_celeba_{size}"
    assert made(folder) == ["models/200000-D.ckpt", "models/200000-G.ckpt"]
    assert all((folder / "models" / name).read_bytes() == content for name, content in NETWORKS)
    assert out.splitlines()[-1] == (
        f"now: python main.py --mode test --dataset CelebA --image_size {size} --c_dim 5 --selected_attrs Black_Hair "
        f"Blond_Hair Brown_Hair Male Young --model_save_dir stargan_celeba_{size}/models "
        f"--result_dir stargan_celeba_{size}/results"
    )
    assert "bash download.sh celeba" in out, "without pictures it is of no use"
    photo = f"now: python translate.py --image YOUR_PHOTO --all --checkpoint stargan_celeba_{size}/models/200000-G.ckpt"
    assert out.splitlines()[-2] == photo and translate.make_parser().parse_args(photo.split()[3:]).all
    server.paths()
    assert "already here" in fine(run(f"pretrained-celeba-{size}x{size}")) and server.paths() == []


def test_several_at_once_in_any_spelling(run, server, tree):
    server.add_all({"/celeba.zip": AUTHORS, "/celeba-128x128-5attrs.zip": MODELS})
    out = fine(run("CelebA", "celeba-128x128-5attrs.zip"))
    check_celeba(tree / "data")
    assert len(made(tree / "stargan_celeba_128")) == 2 and out.count("\nnow: python main.py") == 2
    server.asked.clear()
    refused(run("pretrained-celeba-256x256", "celeba"), "404", by_hand="pretrained-celeba-256x256 --zip FILE")
    assert server.paths() == ["/celeba-256x256-5attrs.zip"]


def test_where_it_is_looked_for(run, tmp_path):
    """At Dropbox, as a download rather than a page; a curl that finds nothing writes it down."""
    curl = write(tmp_path / "fake/curl", '#!/bin/sh\nfor word; do last="$word"; done\necho "$last" >> "$HOME/urls"\n')
    curl.write_text(curl.read_text() + 'echo "404 "\nexit 22\n')
    curl.chmod(0o755)
    path = f"{tmp_path / 'fake'}{os.pathsep}{os.environ['PATH']}"
    assert run(*NAMES, PATH=path, STARGAN_URL="").returncode == 1
    assert (tmp_path / "urls").read_text().split() == [
        "https://www.dropbox.com/s/d1kjpkqklf0uw77/celeba.zip?dl=1",
        "https://www.dropbox.com/s/7e966qq0nlxwte4/celeba-128x128-5attrs.zip?dl=1",
        "https://www.dropbox.com/s/zdq6roqf63m0v5f/celeba-256x256-5attrs.zip?dl=1",
    ]


def command_of(out: str) -> tuple[str, object]:
    """The command it says to go on with: the script, and its flags as main.py understands them."""
    line = out.splitlines()[-1]
    assert line.startswith("now: python ")
    script, *flags = shlex.split(line.removeprefix("now: python "))
    return script, make_parser("main.py").parse_args(flags)


def test_where_it_goes(run, server, tree, tmp_path):
    """Into the current folder where that has one, or else the project's; or where --to says. The command fits."""
    server.add_all({"/celeba.zip": AUTHORS, "/celeba-128x128-5attrs.zip": MODELS})
    script, flags = command_of(fine(run("celeba")))
    assert (script, flags.mode, flags.celeba_image_dir, flags.attr_path) == ("main.py", "train", None, None)
    assert flags.selected_attrs == list(ATTRIBUTES) and flags.c_dim == 5 and flags.image_size == 128
    # elsewhere: the project's
    script, flags = command_of(fine(run("pretrained-celeba-128x128", cwd=tmp_path)))
    assert script == f"{tree}/main.py" and flags.mode == "test"
    assert flags.model_save_dir == f"{tree}/stargan_celeba_128/models"
    assert flags.celeba_image_dir == f"{tree}/data/celeba/images" and flags.attr_path == f"{tree}/data/celeba/{LIST}"
    # where there is one: there
    (tmp_path / "work/data").mkdir(parents=True)
    script, flags = command_of(fine(run("celeba", cwd=tmp_path / "work")))
    check_celeba(tmp_path / "work/data")
    assert script == f"{tree}/main.py" and flags.celeba_image_dir is None
    # where --to says
    for words, place in ((["--to", "my data/"], "my data"), (["--to=a\\b"], "a/b"), (["--to", tmp_path / "c"], "../c")):
        _, flags = command_of(fine(run("celeba", *words, cwd=tmp_path / "work")))
        check_celeba(tmp_path / "work" / place / "data")
        assert (tmp_path / "work" / flags.celeba_image_dir).samefile(tmp_path / "work" / place / "data/celeba/images")
    _, flags = command_of(fine(run("pretrained-celeba-128x128", "--to", "my data", cwd=tmp_path / "work")))
    assert flags.model_save_dir == "my data/stargan_celeba_128/models"
    assert flags.celeba_image_dir is None, "the current folder's go first"


# --- what fails ---------------------------------------------------------------------------------------------------

EVIL = zip_bytes([*pictures_in("celeba/images/"), (f"celeba/{LIST}", TEXT), ("../evil.txt", b"evil")])
CELEBA_BY_HAND = (
    "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html fetch img_align_celeba.zip",
    "list_attr_celeba.txt",
    "jessicali9530/celeba-dataset",
    "list_attr_celeba.csv",
    "bash download.sh celeba --zip FILE",
    " data/celeba/images/,",
    f" data/celeba/{LIST}",
)


@pytest.mark.parametrize(
    "body, said",
    [
        (None, "404"),
        (PAGE, "web page"),
        (b"x" * 900, "900 bytes"),
        (AUTHORS[:-100], "damaged"),
        (AUTHORS[:1500], "damaged"),
        (b"\x00" * 5000, "not an archive"),
        (EVIL, "leads out of the folder"),
        (zip_bytes([("readme.txt", os.urandom(3000))]), "does not hold CelebA's pictures"),
        (zip_bytes([*pictures_in("a/"), (f"a/{LIST}", TEXT[:-3])]), "000005.jpg is not a file name and 2 values"),
        (zip_bytes([*pictures_in("a/"), (f"a/{LIST}", "5\n\n")]), "names no"),
    ],
    ids=["gone", "page", "small", "cut", "half", "zeros", "evil", "other", "cut list", "no list"],
)
def test_downloads_that_are_no_good(run, server, tree, body, said):
    """Nothing comes of it and nothing is lost: how to do it by hand is said, and the next try begins anew."""
    own = {"data/mine.txt": b"mine", "data/celeba/notes.txt": b"mine too"}
    for name, content in own.items():
        write(tree / name, content)
    before = made(tree)
    if body is not None:
        server.add("/celeba.zip", body)
    result = run("celeba")
    refused(result, said, "celeba.zip", by_hand="How to get CelebA by hand")
    assert all(words in result.stderr for words in CELEBA_BY_HAND), result.stderr
    assert made(tree) == before and not list(tree.parent.rglob("evil*"))
    server.add("/celeba.zip", AUTHORS)
    fine(run("celeba"))
    for name, content in own.items():
        assert (tree / name).read_bytes() == content
        (tree / name).unlink()
    check_celeba(tree / "data")


@pytest.mark.parametrize(
    "body, said", [(None, "404"), (AUTHORS, "holds no 200000-G.ckpt"), (zip_bytes(NETWORKS[:1]), "200000-D.ckpt")]
)
def test_networks_that_are_not_to_be_had(run, server, tree, body, said):
    kept = write(tree / "stargan_celeba_256/models/170000-G.ckpt")
    before = made(tree)
    if body:
        server.add("/celeba-256x256-5attrs.zip", body)
    result = run("pretrained-celeba-256x256")
    refused(result, said, by_hand="https://www.dropbox.com/s/zdq6roqf63m0v5f/celeba-256x256-5attrs.zip?dl=0")
    assert "bash download.sh pretrained-celeba-256x256 --zip FILE" in result.stderr
    assert " stargan_celeba_256/models/\n" in result.stderr
    assert made(tree) == before and kept.read_bytes() == b"x"


def test_no_network(run, tree):
    before = made(tree)
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        result = run("celeba", STARGAN_URL=f"http://127.0.0.1:{taken.getsockname()[1]}")
    refused(result, "connect", by_hand="img_align_celeba.zip")
    assert made(tree) == before


def test_a_transfer_that_was_cut_goes_on(run, server, tree):
    server.add("/celeba.zip", AUTHORS, cuts=1, cut_at=2000)
    refused(run("celeba"), "2000 bytes are kept", by_hand="CelebA")
    assert not (tree / "data/celeba").exists()
    fine(run("celeba"))
    check_celeba(tree / "data")
    if shutil.which("curl"):
        assert server.asked[-1] == ("/celeba.zip", "bytes=2000-")


def test_ctrl_c_ends_it_all_and_the_same_command_goes_on(start, run, server, tree):
    gate = threading.Event()
    body = zip_bytes(
        [*pictures_in("celeba/images/"), (f"celeba/{LIST}", TEXT), ("celeba/images/x.png", os.urandom(99999))]
    )
    server.add("/celeba.zip", body, gate=gate)
    server.add("/celeba-128x128-5attrs.zip", MODELS)
    process = start("celeba", "pretrained-celeba-128x128")
    deadline = time.monotonic() + 20
    while not list(tree.glob("data/*.part")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of them
    out, err = process.communicate(timeout=20)
    gate.set()
    assert process.returncode == 130 and err == ""
    assert not (tree / "stargan_celeba_128").exists() and server.paths() == ["/celeba.zip"]
    fine(run("celeba"))
    assert len(made(tree / "data/celeba/images")) == 6


def test_what_a_killed_run_left_is_no_harm(run, server, tree):
    server.add("/celeba.zip", AUTHORS)
    write(tree / "data/celeba/.unpacking/content/celeba/images/000001.jpg", b"half")
    fine(run("celeba"))
    check_celeba(tree / "data")
    assert made(tree / "data") == CELEBA


def test_a_folder_that_cannot_be(run, server, tree):
    server.add("/celeba.zip", AUTHORS)
    write(tree / "data/celeba", b"a file")
    refused(run("celeba"), "celeba")
    assert (tree / "data/celeba").read_bytes() == b"a file"


# --- what is here already -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [TEXT, CSV])
def test_what_was_put_there_by_hand_is_used(run, server, tree, form):
    """With CelebA's list, or with Kaggle's under either name; Kaggle's is put in CelebA's form where it has its own."""
    for name, content in PICTURES:
        write(tree / "data/celeba/images" / name, content)
    write(tree / "data/celeba" / LIST, form)
    assert "data/celeba is already here" in fine(run("celeba"))
    assert (tree / "data/celeba" / LIST).read_text() == form
    (tree / "data/celeba" / LIST).unlink()
    write(tree / "data/celeba/list_attr_celeba.csv", CSV)
    assert "already here" in fine(run("celeba"))
    assert (tree / "data/celeba" / LIST).read_text() == TEXT
    assert (tree / "data/celeba/list_attr_celeba.csv").read_text() == CSV and server.asked == []


def test_what_is_missing_is_added(run, server, tree):
    server.add("/celeba.zip", AUTHORS)
    write(tree / "data/celeba/images/000002.jpg", PICTURES[1][1])
    write(tree / "data/celeba/images/000009.jpg", b"my own")
    write(tree / "data/celeba" / LIST, CSV)
    out = fine(run("celeba"))
    assert f"data/celeba/images has 2 pictures, and data/celeba/{LIST} names 5\n" in out
    assert (tree / "data/celeba/images/000009.jpg").read_bytes() == b"my own"
    assert (tree / "data/celeba" / LIST).read_text() == CSV, "it says the same"
    (tree / "data/celeba/images/000009.jpg").unlink()
    check_celeba(tree / "data")


@pytest.mark.parametrize("name, content", [("images/000002.jpg", b"another"), (LIST, TEXT.replace("-1", " 1"))])
def test_what_differs_is_not_replaced(run, server, tree, name, content):
    server.add("/celeba.zip", AUTHORS)
    mine = write(tree / "data/celeba" / name, content)
    before = mine.read_bytes()
    refused(run("celeba"), f"celeba/{name}", "differs", "move it away")
    assert made(tree / "data") == ["celeba.zip", f"celeba/{name}"] and mine.read_bytes() == before
    mine.rename(tree / "aside")
    server.asked.clear()
    assert "data/celeba.zip is needed no more" in fine(run("celeba")) and server.asked == [], "nor fetched twice"
    check_celeba(tree / "data")


def test_networks_of_ones_own_are_not_replaced(run, server, tree):
    server.add("/celeba-128x128-5attrs.zip", MODELS)
    mine = write(tree / "stargan_celeba_128/models/200000-G.ckpt", b"trained for weeks")
    refused(run("pretrained-celeba-128x128"), "200000-G.ckpt", "differs")
    assert mine.read_bytes() == b"trained for weeks" and not mine.with_name("200000-D.ckpt").exists()


# --- what was fetched by hand -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body, beside",
    [
        (AUTHORS, {}),
        (KAGGLES, {}),
        (OFFICIAL, {LIST: TEXT}),
        (OFFICIAL, {"list_attr_celeba.csv": CSV}),
        (zip_bytes([*pictures_in(""), (LIST, TEXT)]), {}),
        (zip_bytes([*((f"__MACOSX/img/._{n}", b"x") for n, _ in PICTURES), *pictures_in("img/")]), {LIST: TEXT}),
    ],
    ids=["authors", "kaggle", "official", "official and kaggle's list", "flat", "mac"],
)
def test_a_zip_of_ones_own(run, server, tree, tmp_path, body, beside):
    own = write(tmp_path / "down loads/some.zip", body)
    for name, content in beside.items():
        write(own.with_name(name), content)
    out = fine(run("celeba", "--zip", own))
    check_celeba(tree / "data")
    assert made(tree / "data") == CELEBA and server.asked == []
    assert f"{own} is needed no more" in out and command_of(out)[0] == "main.py"
    assert own.read_bytes() == body and len(made(own.parent)) == 1 + len(beside)
    assert "already here" in fine(run("celeba", "--zip", own))


def test_the_official_zip_alone(run, server, tree, tmp_path):
    """Its pictures are put there; what is still missing is said, and nothing else has to be done again."""
    own = write(tmp_path / "img_align_celeba.zip", OFFICIAL)
    refused(run("--zip", own), "there is no data/celeba/list_attr_celeba.txt", by_hand=f"data/celeba/{LIST}")
    assert [path.name for path in sorted((tree / "data/celeba/images").iterdir())] == [name for name, _ in PICTURES]
    write(tree / "data/celeba" / LIST, TEXT)
    assert "already here" in fine(run("celeba"))
    shutil.rmtree(tree / "data/celeba/images")
    fine(run("celeba", f"--zip={own}"))
    check_celeba(tree / "data")
    (tree / "data/celeba" / LIST).write_text(TEXT + "000006.jpg  1  1\n")
    refused(run("celeba", "--zip", own), "1 of the 6 pictures", by_hand="CelebA")
    assert server.asked == [] and own.read_bytes() == OFFICIAL


def test_networks_from_ones_own_zip(run, server, tree, tmp_path):
    own = write(tmp_path / "nets.zip", MODELS)
    for word in (str(own).replace("/", "\\"), "--zip=~/nets.zip"):
        words = [word] if word.startswith("--") else ["--zip", word]
        fine(run("pretrained-celeba-128x128", *words))
        assert made(tree / "stargan_celeba_128") == ["models/200000-D.ckpt", "models/200000-G.ckpt"]
        shutil.rmtree(tree / "stargan_celeba_128")
    assert own.read_bytes() == MODELS and server.asked == []


@pytest.mark.parametrize(
    "name, body, said",
    [
        ("celeba", MODELS, "does not hold CelebA's pictures"),
        ("celeba", zip_bytes([("a/holiday.jpg", b"x"), ("a/sea.jpg", b"y")]), "does not hold CelebA's pictures"),
        ("celeba", zip_bytes([("000009.jpg", b"x"), (LIST, TEXT)]), "does not hold CelebA's pictures"),
        ("celeba", PAGE, "not an archive"),
        ("celeba", OFFICIAL[:-50], "damaged"),
        ("celeba", EVIL, "leads out of the folder"),
        ("pretrained-celeba-256x256", OFFICIAL, "holds no 200000-G.ckpt"),
    ],
)
def test_a_wrong_zip_of_ones_own(run, server, tree, tmp_path, name, body, said):
    """One line; the zip stays."""
    own, before = write(tmp_path / "own.zip", body), made(tree)
    refused(run(name, "--zip", own), said, str(own))
    assert own.read_bytes() == body and made(tree) == before and server.asked == []
    assert not (tree / "data").exists() and not (tree / "stargan_celeba_256").exists()


def test_zips_that_are_none(run, tree, tmp_path):
    refused(run("celeba", "--zip", "nothing.zip"), "no file nothing.zip", status=2)
    refused(run("celeba", "--zip", tmp_path), "is a folder", status=2)


def test_any_python_will_do(run, tree, tmp_path):
    """Downloads come before installing: nothing but the standard library."""
    bare = write(tmp_path / "bare", f'#!/bin/sh\nexec "{sys.executable}" -S -E "$@"\n')
    bare.chmod(0o755)
    own = write(tmp_path / "kaggle.zip", KAGGLES)
    fine(run("celeba", "--zip", own, PYTHON=str(bare)))
    check_celeba(tree / "data")


# --- the files themselves -----------------------------------------------------------------------------------------


def test_it_is_fit_for_bash():
    script = PROJECT / "download.sh"
    assert b"\r" not in script.read_bytes() and os.access(script, os.X_OK)
    subprocess.run([BASH, "-n", str(script)], check=True)


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not here")
def test_shellcheck_finds_nothing():
    command = ["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", str(PROJECT / "download.sh")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
