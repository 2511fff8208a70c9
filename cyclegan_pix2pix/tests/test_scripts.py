"""The bash scripts: downloads against a small web server on this machine, the wrappers with a Python that only writes
down what it is asked; and util/get_data.py, which calls them."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from shared_scripts.cli import RunError, UserError
from shared_scripts.testing import offline_environment, tar_bytes, web_server, zip_bytes

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared_scripts"
BASH = shutil.which("bash")
pytestmark = [
    pytest.mark.skipif(BASH is None, reason="the scripts need bash (on Windows: Git Bash)"),
    pytest.mark.skipif(os.name == "nt", reason="a script cannot stand for a program on Windows"),
]

CYCLEGAN_MODEL, PIX2PIX_MODEL = "scripts/download_cyclegan_model.sh", "scripts/download_pix2pix_model.sh"
CYCLEGAN_DATA, PIX2PIX_DATA = "datasets/download_cyclegan_dataset.sh", "datasets/download_pix2pix_dataset.sh"
OLD_CYCLEGAN, OLD_PIX2PIX = (f"pretrained_models/download_{kind}_model.sh" for kind in ("cyclegan", "pix2pix"))
NAMES = {
    CYCLEGAN_MODEL: "apple2orange orange2apple summer2winter_yosemite winter2summer_yosemite horse2zebra zebra2horse "
    "monet2photo style_monet style_cezanne style_ukiyoe style_vangogh sat2map map2sat cityscapes_photo2label "
    "cityscapes_label2photo facades_photo2label facades_label2photo iphone2dslr_flower",
    PIX2PIX_MODEL: "edges2shoes sat2map map2sat facades_label2photo day2night",
    CYCLEGAN_DATA: "ae_photos apple2orange summer2winter_yosemite horse2zebra monet2photo cezanne2photo ukiyoe2photo "
    "vangogh2photo maps facades iphone2dslr_flower mini mini_pix2pix mini_colorization cityscapes",
    PIX2PIX_DATA: "night2day edges2handbags edges2shoes facades maps cityscapes",
}
PAGE = b"<!DOCTYPE html><html><title>Moved</title></html>" + b" " * 2_000_000
NOISE = [os.urandom(700) for _ in range(4)]  # pictures that do not compress
TWO_HEAPS = [
    (f"maps/{part}/1.jpg", noise) for part, noise in zip(("trainA", "trainB", "testA", "testB"), NOISE, strict=True)
]
PAIRS = [(f"maps/{part}/1.jpg", noise) for part, noise in zip(("train", "val", "test"), NOISE[:3], strict=True)]
ZIP, TAR = "/cyclegan/datasets/maps.zip", "/pix2pix/datasets/maps.tar.gz"


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of the project's scripts and of what they call, in a folder with a blank in its name."""
    root = tmp_path / "play ground"
    for script in PROJECT.glob("*/*.sh"):
        (root / "cyclegan_pix2pix" / script.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(script, root / "cyclegan_pix2pix" / script.parent.name)
    (root / "shared_scripts").mkdir()
    for name in ("common.sh", "download.sh", "unpack.py"):
        shutil.copy(SHARED / name, root / "shared_scripts")
    return root / "cyclegan_pix2pix"


@pytest.fixture
def server():
    with web_server() as server:
        yield server


@pytest.fixture
def run(tree, tmp_path, server):
    """`run(script, *words, cwd=…, PYTHON=…)` runs a script of the copy; by default in its own folder."""

    def call(script, *words, cwd=tree, **changes) -> subprocess.CompletedProcess:
        settings = {"PYTHON": sys.executable, "CYCLEGAN_PIX2PIX_URL": server.url("/")}
        return subprocess.run(
            [BASH, str(tree / script), *map(str, words)],
            cwd=cwd,
            env=offline_environment(tmp_path, **settings | changes),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return call


@pytest.fixture(scope="session")
def model() -> bytes:
    """A generator as PyTorch saves it, a little over a megabyte."""
    import torch

    stream = io.BytesIO()
    torch.save({"model.1.weight": torch.rand(64, 3, 7, 7), "model.1.bias": torch.rand(300_000)}, stream)
    return stream.getvalue()


def made(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def refused(result, *words: str, status: int = 2) -> None:
    """It ended with one line `error: …` that holds the words."""
    assert result.returncode == status, result
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ") and all(word in line for word in words), line


def write(path: Path, content: bytes = b"x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def program(path: Path, text: str) -> Path:
    write(path, f"#!/bin/sh\n{text}\n".encode()).chmod(0o755)
    return path


# --- all four downloads -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", NAMES)
def test_what_there_is(run, server, script):
    """--help lists it, an unknown name's error does, and no name at all does."""
    names = NAMES[script].split()
    result = run(script, "--help")
    assert result.returncode == 0 and result.stderr == "" and Path(script).name in result.stdout
    listed = result.stdout.split("\n\n")[2].split()
    assert sorted(listed) == sorted(names)
    result = run(script)
    assert result.returncode == 2 and result.stdout == "" and set(names) <= set(result.stderr.split())
    for unknown in ("nothing", "", "*", "maps facades", f"{names[0]} {names[1]}"):
        refused(run(script, unknown), f"no '{unknown}'", ", ".join(names[:2]))
    refused(run(script, names[0], "nothing"), "no 'nothing'")
    refused(run(script, "--too", names[0]), "--too", "--help")
    refused(run(script, names[0], "--to"), "--to needs a folder")
    assert server.asked == []


@pytest.mark.parametrize(
    "script, name, addresses",
    [
        (CYCLEGAN_MODEL, "horse2zebra", ["{}cyclegan/pretrained_models/horse2zebra.pth"]),
        (PIX2PIX_MODEL, "day2night", ["{}pix2pix/models-pytorch/day2night.pth"]),
        (
            CYCLEGAN_DATA,
            "maps",
            [
                "{}cyclegan/datasets/maps.zip",
                "https://people.eecs.berkeley.edu/~taesung_park/CycleGAN/datasets/maps.zip",
            ],
        ),
        (
            PIX2PIX_DATA,
            "facades",
            [
                "{}pix2pix/datasets/facades.tar.gz",
                "https://people.eecs.berkeley.edu/~tinghuiz/projects/pix2pix/datasets/facades.tar.gz",
            ],
        ),
    ],
)
def test_where_it_is_looked_for(run, tmp_path, script, name, addresses):
    """By https, then by http as the original did, then where it once was; a curl that finds nothing writes it down."""
    program(
        tmp_path / "fake/curl", 'for word; do last="$word"; done\necho "$last" >> "$HOME/urls"\necho "404 "\nexit 22'
    )
    path = f"{tmp_path / 'fake'}{os.pathsep}{os.environ['PATH']}"
    result = run(script, name, PATH=path, CYCLEGAN_PIX2PIX_URL="")
    assert result.returncode == 1
    first = [addresses[0].format(f"{kind}://efrosgans.eecs.berkeley.edu/") for kind in ("https", "http")]
    assert (tmp_path / "urls").read_text().split() == [*first, *addresses[1:]]


@pytest.mark.parametrize("script, name", [(CYCLEGAN_MODEL, "sat2map"), (PIX2PIX_DATA, "maps")])
def test_no_network(run, tree, script, name):
    before = made(tree)
    with socket.socket() as taken:  # bound but not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        result = run(script, name, CYCLEGAN_PIX2PIX_URL=f"http://127.0.0.1:{taken.getsockname()[1]}")
    refused(result, "connect", name, status=1)
    assert made(tree) == before


@pytest.mark.parametrize("body", [PAGE, b"x" * 900, None], ids=["page", "small", "gone"])
@pytest.mark.parametrize(
    "script, path",
    [(CYCLEGAN_MODEL, "/cyclegan/pretrained_models/{}.pth"), (CYCLEGAN_DATA, "/cyclegan/datasets/{}.zip")],
)
def test_what_comes_is_not_the_file(run, server, tree, script, path, body):
    before = made(tree)
    if body is not None:
        server.add(path.format("apple2orange"), body)
    refused(run(script, "apple2orange"), "apple2orange", server.url(path.format("apple2orange")), status=1)
    assert made(tree) == before


# --- models -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "script, path",
    [
        (CYCLEGAN_MODEL, "/cyclegan/pretrained_models/sat2map.pth"),
        (OLD_CYCLEGAN, "/cyclegan/pretrained_models/sat2map.pth"),
        (PIX2PIX_MODEL, "/pix2pix/models-pytorch/sat2map.pth"),
        (OLD_PIX2PIX, "/pix2pix/models-pytorch/sat2map.pth"),
    ],
)
def test_a_model(run, server, tree, model, script, path):
    server.add(path, model)
    result = run(script, "sat2map")
    assert (result.returncode, result.stderr) == (0, ""), result
    assert made(tree / "checkpoints") == ["sat2map_pretrained/latest_net_G.pth"]
    assert (tree / "checkpoints/sat2map_pretrained/latest_net_G.pth").read_bytes() == model
    flags = "--netG unet_256 --norm batch" if "pix2pix" in script else "--no_dropout"
    use = f"now: python test.py --dataroot FOLDER_WITH_PICTURES --name sat2map_pretrained --model test {flags}"
    assert use in result.stdout.splitlines()
    assert server.paths() == [path]
    result = run(script, "sat2map")
    assert result.returncode == 0 and "already here" in result.stdout and use in result.stdout
    assert server.paths() == []


@pytest.mark.parametrize(
    "word",
    ["horse2zebra.pth", "horse2zebra_pretrained", "checkpoints\\horse2zebra_pretrained", "checkpoints/horse2zebra/"],
)
def test_every_way_to_write_a_name(run, server, tree, model, word):
    server.add("/cyclegan/pretrained_models/horse2zebra.pth", model)
    assert run(CYCLEGAN_MODEL, word).returncode == 0
    assert made(tree / "checkpoints") == ["horse2zebra_pretrained/latest_net_G.pth"]


def test_where_a_model_goes(run, server, tree, model, tmp_path):
    """Into the current folder's checkpoints/, or else the project's; or where --to says."""
    server.add("/cyclegan/pretrained_models/zebra2horse.pth", model)
    name = "zebra2horse_pretrained/latest_net_G.pth"
    result = run(CYCLEGAN_MODEL, "zebra2horse", cwd=tmp_path)
    assert result.returncode == 0 and made(tree / "checkpoints") == [name]
    escaped = str(tree).replace(" ", "\\ ")
    assert f"now: python {escaped}/test.py --dataroot" in result.stdout
    assert f"--checkpoints_dir {escaped}/checkpoints\n" in result.stdout
    work = tmp_path / "work"
    (work / "checkpoints").mkdir(parents=True)
    assert run(CYCLEGAN_MODEL, "zebra2horse", cwd=work).returncode == 0
    assert made(work) == [f"checkpoints/{name}"]
    for words, place in ((["--to", "my models/"], "my models"), (["--to=a\\b"], "a/b")):
        result = run(CYCLEGAN_MODEL, *words, "zebra2horse", cwd=work)
        assert result.returncode == 0 and (work / place / name).read_bytes() == model, result


def test_several_models_one_of_which_is_not_to_be_had(run, server, tree, model):
    for name in ("style_monet", "style_vangogh"):
        server.add(f"/cyclegan/pretrained_models/{name}.pth", model)
    result = run(CYCLEGAN_MODEL, "style_monet", "style_ukiyoe", "style_vangogh")
    refused(result, "style_ukiyoe", "404", status=1)
    expected = [f"style_{name}_pretrained/latest_net_G.pth" for name in ("monet", "vangogh")]
    assert made(tree / "checkpoints") == expected


def test_a_model_whose_transfer_was_cut(run, server, tree, model):
    path = "/cyclegan/pretrained_models/map2sat.pth"
    server.add(path, model, cuts=1, cut_at=600_000)
    refused(run(CYCLEGAN_MODEL, "map2sat"), "600000 bytes are kept", status=1)
    assert not list((tree / "checkpoints").rglob("*.pth"))
    assert run(CYCLEGAN_MODEL, "map2sat").returncode == 0
    assert (tree / "checkpoints/map2sat_pretrained/latest_net_G.pth").read_bytes() == model
    if shutil.which("curl"):
        assert server.asked[-1] == (path, "bytes=600000-")


def test_the_fetched_model_can_be_read(run, server, tree, model):
    from shared_scripts.checkpoints import load_tensors

    server.add("/pix2pix/models-pytorch/edges2shoes.pth", model)
    run(PIX2PIX_MODEL, "edges2shoes")
    tensors = load_tensors(tree / "checkpoints/edges2shoes_pretrained/latest_net_G.pth")
    assert tensors["model.1.weight"].shape == (64, 3, 7, 7)


# --- data sets ----------------------------------------------------------------------------------------------------

FOUR = [f"maps/{part}/1.jpg" for part in ("testA", "testB", "trainA", "trainB")]
THREE = [f"maps/{part}/1.jpg" for part in ("test", "train", "val")]


def here(tree: Path) -> list[str]:
    """What is in datasets/ but scripts."""
    return [name for name in made(tree / "datasets") if not name.endswith(".sh")]


@pytest.mark.parametrize(
    "script, path, body, names, command",
    [
        (CYCLEGAN_DATA, ZIP, zip_bytes(TWO_HEAPS), FOUR, "--name maps_cyclegan --model cycle_gan"),
        (PIX2PIX_DATA, TAR, tar_bytes(PAIRS), THREE, "--name maps_pix2pix --model pix2pix --direction AtoB"),
    ],
    ids=["cyclegan", "pix2pix"],
)
def test_a_dataset(run, server, tree, script, path, body, names, command):
    server.add(path, body)
    archive = path.split("/")[-1]
    use = f"now: python train.py --dataroot ./datasets/maps {command}"
    result = run(script, "maps")
    assert (result.returncode, result.stderr) == (0, ""), result
    assert here(tree) == [f".{archive}.unpacked", *names], "the archive is needed no more"
    contents = dict(TWO_HEAPS + PAIRS)
    assert all((tree / "datasets" / name).read_bytes() == contents[name] for name in names)
    assert use in result.stdout.splitlines() and server.paths() == [path]
    result = run(script, "maps")
    assert result.returncode == 0 and "./datasets/maps is already here" in result.stdout and use in result.stdout
    assert server.paths() == []
    shutil.rmtree(tree / "datasets/maps")
    assert run(script, archive).returncode == 0 and server.paths() == [path]
    assert here(tree) == [f".{archive}.unpacked", *names]


def test_facades_are_made_from_labels(run, server):
    server.add("/pix2pix/datasets/facades.tar.gz", tar_bytes([("facades/train/1.jpg", b"".join(NOISE))]))
    assert "--model pix2pix --direction BtoA" in run(PIX2PIX_DATA, "facades").stdout


@pytest.mark.parametrize(
    "name, command",
    [
        ("mini", "train.py --dataroot ./datasets/mini --name mini_cyclegan --model cycle_gan"),
        ("mini_pix2pix", "train.py --dataroot ./datasets/mini_pix2pix --name mini_pix2pix --model pix2pix"),
        (
            "mini_colorization",
            "train.py --dataroot ./datasets/mini_colorization --name mini_colorization --model colorization",
        ),
        (
            "ae_photos",
            "test.py --dataroot ./datasets/ae_photos --name style_vangogh_pretrained --model test --no_dropout",
        ),
    ],
)
def test_what_to_do_with_the_others(run, server, name, command):
    server.add(f"/cyclegan/datasets/{name}.zip", zip_bytes([(f"{name}/testA/1.jpg", b"".join(NOISE))]))
    assert f"now: python {command}" in run(CYCLEGAN_DATA, name).stdout.splitlines()


def test_the_two_kinds_of_maps_share_a_folder(run, server, tree):
    server.add_all({ZIP: zip_bytes(TWO_HEAPS), TAR: tar_bytes(PAIRS)})
    for script in (CYCLEGAN_DATA, PIX2PIX_DATA):
        assert run(script, "maps").returncode == 0
    assert server.paths() == [ZIP, TAR]
    assert here(tree) == [".maps.tar.gz.unpacked", ".maps.zip.unpacked", *sorted(FOUR + THREE)]


def test_a_dataset_that_the_originals_script_fetched_stays(run, server, tree):
    write(tree / "datasets/maps/trainA/mine.jpg")
    result = run(CYCLEGAN_DATA, "maps")
    assert result.returncode == 0 and "already here" in result.stdout and server.asked == []


def test_ones_own_pictures_beside_it_stay(run, server, tree):
    server.add(ZIP, zip_bytes(TWO_HEAPS))
    write(tree / "datasets/maps/mytest/me.jpg", b"me")
    assert run(CYCLEGAN_DATA, "maps").returncode == 0
    assert here(tree) == [".maps.zip.unpacked", "maps/mytest/me.jpg", *FOUR]


def test_an_archive_that_is_there_is_used_and_kept(run, server, tree):
    write(tree / "datasets/maps.zip", zip_bytes(TWO_HEAPS))
    result = run(CYCLEGAN_DATA, "maps")
    assert result.returncode == 0, result
    assert here(tree) == [".maps.zip.unpacked", "maps.zip", *FOUR] and server.asked == []


def test_where_a_dataset_goes(run, server, tree, tmp_path):
    server.add(ZIP, zip_bytes(TWO_HEAPS))
    result = run(CYCLEGAN_DATA, "maps", cwd=tmp_path)
    assert result.returncode == 0 and here(tree)[1:] == FOUR
    escaped = str(tree).replace(" ", "\\ ")
    assert f"now: python {escaped}/train.py --dataroot {escaped}/datasets/maps " in result.stdout
    (tmp_path / "work" / "datasets").mkdir(parents=True)
    assert run(CYCLEGAN_DATA, "maps", cwd=tmp_path / "work").returncode == 0
    assert made(tmp_path / "work/datasets")[1:] == FOUR
    assert run(CYCLEGAN_DATA, "--to", "my data", "maps", cwd=tmp_path / "work").returncode == 0
    assert made(tmp_path / "work/my data")[1:] == FOUR


@pytest.mark.parametrize(
    "body, said",
    [
        (zip_bytes([*TWO_HEAPS, ("../evil.txt", b"evil")]), "leads out of the folder"),
        (zip_bytes(TWO_HEAPS)[:-100], "damaged"),
        (zip_bytes([("other/trainA/1.jpg", b"".join(NOISE))]), "holds no folder maps"),
        (b"\x00" * 5000, "not an archive"),
    ],
    ids=["evil", "cut", "other", "zeros"],
)
def test_archives_that_are_no_good(run, server, tree, body, said):
    server.add(ZIP, body)
    refused(run(CYCLEGAN_DATA, "maps"), said, "maps.zip", status=1)
    assert not (tree / "datasets/maps").exists() and not list(tree.parent.rglob("evil*"))


def test_one_bad_dataset_of_several(run, server, tree):
    server.add(ZIP, zip_bytes(TWO_HEAPS))
    result = run(CYCLEGAN_DATA, "facades", "maps")
    refused(result, "facades", status=1)
    assert (
        here(tree)[1:] == FOUR and "--name maps_cyclegan" in result.stdout and "facades_cyclegan" not in result.stdout
    )


@pytest.mark.parametrize("script", [CYCLEGAN_DATA, PIX2PIX_DATA])
def test_cityscapes_has_to_be_fetched_by_hand(run, server, tree, script):
    result = run(script, "cityscapes")
    assert (result.returncode, result.stderr, server.asked, here(tree)) == (0, "", [], [])
    for words in ("licence", "gtFine_trainvaltest.zip", "leftImg8bit_trainvaltest.zip", "cityscapes-dataset.com"):
        assert words in result.stdout
    assert "prepare_cityscapes_dataset.py --gtFine_dir ./gtFine/ \\\n" in result.stdout
    assert "--output_dir ./datasets/cityscapes/" in result.stdout


# --- GetData ------------------------------------------------------------------------------------------------------


@pytest.fixture
def get_data(monkeypatch, server, tmp_path):
    """The class, downloading from this machine."""
    from util.get_data import GetData

    environment = offline_environment(tmp_path, CYCLEGAN_PIX2PIX_URL=server.url(), PYTHON=sys.executable)
    for name in set(os.environ) - set(environment):
        monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return GetData


def test_get_data(get_data, server, tmp_path):
    server.add_all({ZIP: zip_bytes(TWO_HEAPS), TAR: tar_bytes(PAIRS)})
    assert get_data("cyclegan", verbose=False).get("my data", "maps") == str(tmp_path / "my data/maps")
    assert get_data(technique="pix2pix").get(save_path="./sets", dataset="maps.tar.gz") == str(tmp_path / "sets/maps")
    assert made(tmp_path / "my data")[1:] == FOUR and made(tmp_path / "sets")[1:] == THREE


def test_get_data_asks(get_data, server, tmp_path, monkeypatch, capsys):
    server.add(ZIP, zip_bytes(TWO_HEAPS))
    known = sorted(set(NAMES[CYCLEGAN_DATA].split()) - {"cityscapes"})
    answers = iter([str(known.index("maps")), "99", "maps", "-1"])
    monkeypatch.setattr("builtins.input", lambda question: next(answers))
    getter = get_data(verbose=False)
    assert getter.get("sets") == str(tmp_path / "sets/maps")
    assert capsys.readouterr().out.splitlines() == ["Options:", *(f"{i}: {name}" for i, name in enumerate(known))]
    for _ in range(3):
        with pytest.raises(UserError, match=f"0 to {len(known) - 1}"):
            getter.get("sets")


def test_get_data_refuses(get_data, server):
    with pytest.raises(UserError, match="'stargan'"):
        get_data("stargan")
    for name in ("nothing", "cityscapes", "maps; touch pwned"):
        with pytest.raises(UserError, match="to fetch: there are"):
            get_data("pix2pix").get("sets", name)
    assert server.asked == []
    with pytest.raises(RunError, match="404"):
        get_data("pix2pix", verbose=False).get("sets", "maps")


# --- the wrappers -------------------------------------------------------------------------------------------------

FACADES = "--dataroot ./datasets/facades --name facades_pix2pix --model pix2pix --netG unet_256 --direction BtoA"
MAPS = "--dataroot ./datasets/maps --name maps_cyclegan --model cycle_gan"
WRAPPERS = {
    "train_cyclegan": f"train.py {MAPS} --pool_size 50 --no_dropout",
    "test_cyclegan": f"test.py {MAPS} --phase test --no_dropout",
    "train_pix2pix": f"train.py {FACADES} --lambda_L1 100 --dataset_mode aligned --norm batch --pool_size 0",
    "test_pix2pix": f"test.py {FACADES} --dataset_mode aligned --norm batch",
    "train_colorization": "train.py --dataroot ./datasets/colorization --name color_pix2pix --model colorization",
    "test_colorization": "test.py --dataroot ./datasets/colorization --name color_pix2pix --model colorization",
    "test_single": "test.py --dataroot ./datasets/facades/testB/ --name facades_pix2pix --model test --netG unet_256 "
    "--direction BtoA --dataset_mode single --norm batch",
}
RECORD = 'for word; do printf "%s\\n" "$word"; done > "$HOME/words"'


@pytest.mark.parametrize("name", WRAPPERS)
def test_a_wrapper(run, tree, tmp_path, name):
    fake = program(tmp_path / "fake python", RECORD)
    script, *words = WRAPPERS[name].split()
    result = run(f"scripts/{name}.sh", "--n_epochs", "5", "two words", PYTHON=str(fake))
    assert (result.returncode, result.stderr) == (0, ""), result
    assert (tmp_path / "words").read_text().splitlines() == [f"{tree}/{script}", *words, "--n_epochs", "5", "two words"]
    run(f"scripts/{name}.sh", PYTHON=str(fake), cwd=tmp_path)  # no datasets/ here: the project's
    found = (tmp_path / "words").read_text().splitlines()
    assert found == [f"{tree}/{script}", *(word.replace("./", f"{tree}/") for word in words)]


def test_a_wrappers_exit_status_is_pythons(run, tmp_path):
    fake = program(tmp_path / "fake", "echo from python; exit 7")
    result = run("scripts/train_cyclegan.sh", PYTHON=str(fake))
    assert result.returncode == 7 and "from python" in result.stdout
    refused(run("scripts/train_cyclegan.sh", PYTHON="no-such-python"), "PYTHON", "no-such-python")


def test_which_python(run, tree, tmp_path):
    """The playground's own, else one that has PyTorch; each is asked."""
    programs = tmp_path / "programs"
    for name in ("bash", "dirname"):
        programs.mkdir(exist_ok=True)
        (programs / name).symlink_to(shutil.which(name))
    answers = 'if [ "$1" = -c ]; then exit {}; fi; echo "run by {}"'
    program(programs / "python3", answers.format(1, "python3"))
    settings = dict(PATH=str(programs), PYTHON="")
    refused(run("scripts/test_single.sh", **settings), "no Python with PyTorch", "make setup")
    program(programs / "python", answers.format(0, "python"))
    assert "run by python\n" in run("scripts/test_single.sh", **settings).stdout
    program(tree.parent / ".venv/bin/python", answers.format(0, "ours"))
    assert "run by ours\n" in run("scripts/test_single.sh", **settings).stdout


def test_installing(run, tree, tmp_path):
    """What would be called: pip with the playground's own constraints; with conda, Python from there first."""
    root = tree.parent
    fake = program(tmp_path / "fake/python", 'for word; do printf "%s\\n" "$word"; done >> "$HOME/words"')
    program(tmp_path / "fake/conda", f'printf "conda\\n" >> "$HOME/words"\nexec "{fake}" "$@"')
    path = f"{fake.parent}{os.pathsep}{os.environ['PATH']}"
    pip = ["-m", "pip", "install", "--constraint", f"{root}/constraints.txt"]
    pip += ["--editable", f"{root}[cyclegan-pix2pix]"]
    assert run("scripts/install_deps.sh", "--dry-run", PYTHON=str(fake)).returncode == 0
    assert (tmp_path / "words").read_text().splitlines() == [*pip, "--dry-run"]
    (tmp_path / "words").unlink()
    assert run("scripts/conda_deps.sh", PATH=path, PYTHON="").returncode == 0
    conda = ["conda", "install", "--yes", "python>=3.10,<3.14", "pip"]
    assert (tmp_path / "words").read_text().splitlines() == conda + pip


# --- the files themselves -----------------------------------------------------------------------------------------

SCRIPTS = sorted(PROJECT.glob("*/*.sh"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_they_are_fit_for_bash(script):
    assert b"\r" not in script.read_bytes()
    subprocess.run([BASH, "-n", str(script)], check=True)
    if script.name != "common.sh":
        assert os.access(script, os.X_OK) and script.read_text().startswith("#!/usr/bin/env bash\n")


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not here")
def test_shellcheck_finds_nothing():
    few = [script for script in SCRIPTS if not script.name.startswith(("train_", "test_pix", "test_c"))]  # all alike
    command = ["shellcheck", "--external-sources", "--source-path=SCRIPTDIR", *map(str, few)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
