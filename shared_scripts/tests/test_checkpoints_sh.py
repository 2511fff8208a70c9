"""checkpoints.sh, run for real in folders of empty checkpoints."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "checkpoints.sh"
BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="the scripts need bash (on Windows: Git Bash)")


@pytest.fixture
def checkpoints(tmp_path):
    def run(*words) -> subprocess.CompletedProcess:
        return subprocess.run(
            [BASH, str(SCRIPT), *words],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )

    return run


@pytest.fixture
def make(tmp_path):
    """Creates files in a folder, each a second younger than the one before."""

    def create(*names, folder="models", size=1000) -> Path:
        path = tmp_path / folder
        path.mkdir(exist_ok=True)
        for place, name in enumerate(names):
            (path / name).write_bytes(b"x" * size)
            os.utime(path / name, (1_000_000_000 + place, 1_000_000_000 + place))
        return path

    return create


def listed(result) -> list[str]:
    """The file names that `list` printed."""
    assert result.returncode == 0, result.stderr
    return [line.split("models/", 1)[1] for line in result.stdout.splitlines()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "order",
    [
        ["net_9.pth", "net_10.pth", "net_100.pth"],
        ["net_008.pth", "net_9.pth", "net_0010.pth"],
        ["2x_v3_e1.pth", "1x_v2_e2.pth"],  # the last number, not the first
        ["model_20.h5", "model_100.h5"],  # the 5 of .h5 is no step
        ["G 3.t7", "G 12.t7"],
        ["run-99999999999999999998.pt", "run-99999999999999999999.pt"],
        ["iter_7_net.pth.tar", "iter_11_net.pth.tar"],
    ],
)
def test_order_is_by_the_last_number(checkpoints, make, order):
    make(*reversed(order))  # the times say the opposite
    assert listed(checkpoints("list", "models")) == order
    assert checkpoints("latest", "models").stdout == f"models/{order[-1]}\n"


def test_the_parts_of_a_tensorflow_checkpoint_are_no_steps(checkpoints, make):
    nine = ["ckpt-9.index", "ckpt-9.data-00000-of-00002", "ckpt-9.data-00001-of-00002"]
    folder = make("ckpt-10.data-00000-of-00001", "ckpt-10.index", *nine, "checkpoint")
    assert listed(checkpoints("list", "models")) == [*nine, "ckpt-10.data-00000-of-00001", "ckpt-10.index"]
    checkpoints("prune", "models", "--keep", "1", "--yes")
    assert names(folder) == ["checkpoint", "ckpt-10.data-00000-of-00001", "ckpt-10.index"]


def test_a_number_at_the_very_end(checkpoints, make):
    make("model.ckpt-100", "model.ckpt-20", "model.7")
    assert listed(checkpoints("list", "models", "model.*")) == ["model.7", "model.ckpt-20", "model.ckpt-100"]


def test_without_numbers_the_order_is_by_time(checkpoints, make):
    make("zebra.pth", "best.pth", "apple.pth")
    assert listed(checkpoints("list", "models")) == ["zebra.pth", "best.pth", "apple.pth"]
    assert checkpoints("latest", "models").stdout == "models/apple.pth\n"


def test_names_without_a_number_come_before_those_with(checkpoints, make):
    make("net_2.pth", "net_10.pth", "latest.pth")
    assert listed(checkpoints("list", "models")) == ["latest.pth", "net_2.pth", "net_10.pth"]
    assert checkpoints("latest", "models").stdout == "models/net_10.pth\n"


def test_only_checkpoints_count(checkpoints, make):
    folder = make(
        "1.pth", "2.pth", "3.pth.tmp", "4.pth.part", ".5.pth", "options_6.json", "log_7.csv", "8.png", "9.tar"
    )
    (folder / "10.pth").mkdir()
    (folder / "10.pth" / "11.pth").write_bytes(b"")
    assert listed(checkpoints("list", "models")) == ["1.pth", "2.pth"]
    assert listed(checkpoints("list", "models", "*")) == [
        "1.pth", "2.pth", "options_6.json", "log_7.csv", "8.png", "9.tar",
    ]  # fmt: skip


def test_pattern(checkpoints, make):
    make("1_net_G.pth", "2_net_G.pth", "2_net_D.pth", "3_net_D.pth")
    assert listed(checkpoints("list", "models", "*_net_G.pth")) == ["1_net_G.pth", "2_net_G.pth"]
    assert checkpoints("latest", "models", "*_G.*").stdout == "models/2_net_G.pth\n"
    assert checkpoints("latest", "models", "[12]_net_D*").stdout == "models/2_net_D.pth\n"


def test_odd_names(checkpoints, make, tmp_path):
    make("a b_2.pth", "$(touch hacked)_3.pth", "-rf_4.pth", 'it\'s "5".pth', folder="my models")
    assert checkpoints("latest", "my models/").stdout == 'my models/it\'s "5".pth\n'
    assert checkpoints("latest", "my models", "a b*").stdout == "my models/a b_2.pth\n"
    result = checkpoints("prune", "my models", "--keep", "1", "--yes")
    assert result.returncode == 0, result.stderr
    assert names(tmp_path / "my models") == ['it\'s "5".pth']
    assert names(tmp_path) == ["my models"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_of_two_lines(checkpoints, make):
    folder = make("1\n9.pth", "2.pth", "3.pth")
    assert checkpoints("prune", "models", "--keep=1", "--yes").returncode == 0
    assert names(folder) == ["1\n9.pth"]


def test_sizes(checkpoints, make):
    make("1.pth", size=999)
    make("2.pth", size=1_550_000)
    assert [line.split("models")[0].split() for line in checkpoints("list", "models").stdout.splitlines()] == [
        ["999", "B"],
        ["1.5", "MB"],
    ]


def test_prune_only_says_so_without_yes(checkpoints, make):
    folder = make("net_1.pth", "net_2.pth", "net_10.pth")
    result = checkpoints("prune", "models", "--keep", "1")
    assert result.returncode == 0
    assert "would delete models/net_1.pth" in result.stdout and "would delete models/net_2.pth" in result.stdout
    assert "net_10" not in result.stdout
    assert "2.0 kB would be freed" in result.stdout and "--yes" in result.stdout
    assert len(names(folder)) == 3


def test_prune_deletes_with_yes(checkpoints, make):
    folder = make("net_1.pth", "net_2.pth", "net_9.pth", "net_10.pth", "net_11.pth.tmp", "options.json")
    result = checkpoints("prune", "--yes", "models", "--keep", "2")
    assert result.returncode == 0 and "2.0 kB freed" in result.stdout
    assert names(folder) == sorted(["net_9.pth", "net_10.pth", "net_11.pth.tmp", "options.json"])
    result = checkpoints("prune", "models", "--keep", "2", "--yes")
    assert result.returncode == 0 and "nothing to prune" in result.stdout
    assert len(names(folder)) == 4


def test_prune_with_a_pattern_leaves_the_others(checkpoints, make):
    folder = make("1_G.pth", "2_G.pth", "1_D.pth", "2_D.pth")
    checkpoints("prune", "models", "*_G.pth", "--keep", "1", "--yes")
    assert names(folder) == ["1_D.pth", "2_D.pth", "2_G.pth"]


def test_prune_keeps_files_of_one_step_together(checkpoints, make):
    folder = make("5_net_G.pth", "5_net_D.pth", "10_net_G.pth", "10_net_D.pth", "015_net_G.pth", "15_net_D.pth")
    checkpoints("prune", "models", "--keep", "2", "--yes")
    assert names(folder) == sorted(["10_net_G.pth", "10_net_D.pth", "015_net_G.pth", "15_net_D.pth"])


def test_prune_never_deletes_latest_beside_numbered_ones(checkpoints, make):
    folder = make("latest.pth", "best.pth", "1.pth", "2.pth")
    checkpoints("prune", "models", "--keep", "1", "--yes")
    assert names(folder) == ["2.pth", "best.pth", "latest.pth"]


def test_prune_without_numbers_keeps_the_newest_by_time(checkpoints, make):
    folder = make("c.pth", "a.pth", "b.pth")
    checkpoints("prune", "models", "--keep", "1", "--yes")
    assert names(folder) == ["b.pth"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_prune_leaves_links(checkpoints, make, tmp_path):
    folder = make("2.pth", "3.pth")
    kept = make("original.pth", folder="elsewhere")
    (folder / "1.pth").symlink_to(kept / "original.pth")
    checkpoints("prune", "models", "--keep", "1", "--yes")
    assert names(folder) == ["1.pth", "3.pth"] and names(kept) == ["original.pth"]


@pytest.mark.parametrize("command", [["list"], ["latest"], ["prune", "--keep", "1"]])
def test_nothing_there(checkpoints, make, command):
    make("notes.txt")
    result = checkpoints(command[0], "models", *command[1:])
    assert result.returncode == 1 and result.stdout == ""
    assert result.stderr == "error: no checkpoint in models\n"
    result = checkpoints(command[0], "models", "*.pth", *command[1:])
    assert result.returncode == 1 and "*.pth" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["list"],
        ["frob", "models"],
        ["list", "missing"],
        ["list", "models", "*.pth", "*.pt"],
        ["list", "models", "../*.pth"],
        ["latest", "models", "--keep", "1"],
        ["list", "models", "--yes"],
        ["prune", "models", "--yes"],
        ["prune", "models", "--keep", "0", "--yes"],
        ["prune", "models", "--keep", "000", "--yes"],
        ["prune", "models", "--keep", "-1", "--yes"],
        ["prune", "models", "--keep", "two", "--yes"],
        ["prune", "models", "--yes", "--keep"],
        ["list", "models", "--frob"],
    ],
)
def test_bad_usage_deletes_nothing(checkpoints, make, words):
    folder = make("1.pth", "2.pth")
    result = checkpoints(*words)
    assert result.returncode == 2 and result.stdout == ""
    assert result.stderr.startswith("error: ") and len(result.stderr.splitlines()) == 1
    assert names(folder) == ["1.pth", "2.pth"]


def test_help(checkpoints):
    result = checkpoints("--help")
    assert result.returncode == 0 and "--keep N" in result.stdout and result.stderr == ""
