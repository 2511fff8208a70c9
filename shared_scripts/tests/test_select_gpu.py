"""select_gpu.sh, run for real with a stand-in for nvidia-smi."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "select_gpu.sh"
BASH = shutil.which("bash")
pytestmark = [
    pytest.mark.skipif(BASH is None, reason="the scripts need bash (on Windows: Git Bash)"),
    pytest.mark.skipif(os.name == "nt", reason="a shell script cannot stand for nvidia-smi on Windows"),
]
SHOW = 'printf "%s|%s" "${CUDA_VISIBLE_DEVICES-unset}" "${CUDA_DEVICE_ORDER-unset}"'
TWO = "0, 1200\n1, 40536"


@pytest.fixture
def select(tmp_path):
    """Runs select_gpu.sh where nvidia-smi prints the given text (None: where there is no nvidia-smi)."""

    def run(*words, smi=TWO, status=0, **variables) -> subprocess.CompletedProcess:
        folder = tmp_path / "programs"
        folder.mkdir(exist_ok=True)
        # Not in front of the usual PATH but in its place, so that a real nvidia-smi is never found.
        for name in ("bash", "sh", "awk", "sort", "tr", "cat"):
            if not (folder / name).exists():
                (folder / name).symlink_to(shutil.which(name))
        if smi is not None:
            (tmp_path / "answer").write_text(smi + "\n")
            (folder / "nvidia-smi").write_text(
                f'#!/bin/sh\necho "$@" > "{tmp_path}/asked"\ncat "{tmp_path}/answer"\nexit {status}\n'
            )
            (folder / "nvidia-smi").chmod(0o755)
        unwanted = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "GPU")
        kept = {name: value for name, value in os.environ.items() if name not in unwanted}
        return subprocess.run(
            [BASH, str(SCRIPT), *words],
            env=kept | {"PATH": str(folder)} | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
        )

    return run


def shown(result) -> tuple[str, str]:
    """CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER as the command saw them."""
    assert result.returncode == 0, result.stderr
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("select_gpu: "), result.stderr
    devices, order = result.stdout.split("|")
    return devices, order


@pytest.mark.parametrize(
    "smi, best",
    [
        (TWO, "1"),
        ("0, 9000\n1, 10000\n2, 200", "1"),  # by value, not by text
        ("0, 500\n1, 500", "0"),
        ("0, [N/A]\n1, 10", "1"),
        ("0, [N/A]", "0"),
        ("0, 5\r\n11, 6\r", "11"),
    ],
    ids=["two", "natural", "equal", "unknown memory", "only unknown memory", "Windows lines"],
)
def test_auto_takes_the_most_free_memory(select, tmp_path, smi, best):
    assert shown(select("--", "sh", "-c", SHOW, smi=smi)) == (best, "PCI_BUS_ID")
    assert "index,memory.free" in (tmp_path / "asked").read_text()


@pytest.mark.parametrize(
    "smi, status",
    [
        (None, 0),
        ("NVIDIA-SMI has failed because it couldn't communicate", 9),
        ("No devices were found", 0),
        ("", 0),
    ],
    ids=["no nvidia-smi", "broken driver", "no devices", "silence"],
)
def test_auto_without_a_gpu_is_the_cpu(select, smi, status):
    result = select("--gpu", "auto", "--", "sh", "-c", SHOW, smi=smi, status=status)
    assert shown(result) == ("-1", "unset")
    assert "CPU" in result.stderr


def test_a_broken_driver_that_lists_numbers_is_not_believed(select):
    assert shown(select("--", "sh", "-c", SHOW, smi="0, 100", status=9))[0] == "-1"


@pytest.mark.parametrize("value", ["3", "", "GPU-8932f937"])
def test_auto_respects_what_is_set(select, value):
    result = select("--", "sh", "-c", SHOW, CUDA_VISIBLE_DEVICES=value)
    assert shown(result) == (value, "unset")
    assert f"'{value}'" in result.stderr


def test_none_is_the_cpu_even_when_something_is_set(select):
    assert shown(select("--gpu", "none", "--", "sh", "-c", SHOW, CUDA_VISIBLE_DEVICES="0"))[0] == "-1"


@pytest.mark.parametrize("choice", ["0", "1", "0,1", "1,0"])
def test_a_list_is_used_as_it_is(select, choice):
    assert shown(select(f"--gpu={choice}", "--", "sh", "-c", SHOW)) == (choice, "PCI_BUS_ID")
    assert shown(select("--", "sh", "-c", SHOW, GPU=choice)) == (choice, "PCI_BUS_ID")


def test_the_flag_goes_before_the_variable(select):
    assert shown(select("--gpu", "0", "--", "sh", "-c", SHOW, GPU="none"))[0] == "0"
    assert shown(select("--", "sh", "-c", SHOW, GPU="none"))[0] == "-1"
    assert shown(select("--", "sh", "-c", SHOW, GPU=""))[0] == "1"


@pytest.mark.parametrize("choice", ["2", "0,2", "0,0", "01", "0,", ",1", "a", "0 1", "-1", "0;id", "$(id)", "cpu"])
def test_a_wrong_list_runs_nothing(select, choice):
    result = select("--gpu", choice, "--", "sh", "-c", "echo ran")
    assert result.returncode == 2 and result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: --gpu ") and choice in line


def test_the_error_names_the_gpus_that_are_there(select):
    assert "nvidia-smi lists: 0 1 (" in select("--gpu", "7", "--", "sh").stderr


def test_a_list_where_there_is_no_gpu(select):
    result = select("--gpu", "0", "--", "sh", "-c", "echo ran", smi=None)
    assert result.returncode == 2 and "no GPU" in result.stderr and result.stdout == ""


def test_without_a_command_the_choice_is_printed(select):
    assert select("--").stdout == "1\n"
    assert select().stdout == "1\n"
    assert select("--gpu", "none").stdout == "-1\n"
    assert select("--gpu", "0,1", "--").stdout == "0,1\n"


def test_arguments_pass_through_untouched(select):
    words = ["a b", "", "*", "$(id)", "--gpu", "none", "--", "x\ny"]
    result = select("--", sys.executable, "-c", "import sys; print(sys.argv[1:])", *words)
    assert result.stdout.strip() == repr(words)
    assert select("sh", "-c", "echo bare; exit 0").stdout == "bare\n"


def test_the_exit_status_passes_through(select):
    assert select("--", "sh", "-c", "exit 42").returncode == 42


def test_signals_reach_the_command(select, tmp_path):
    """exec: the process that was started is the command itself."""
    process = subprocess.Popen(
        [
            BASH,
            str(SCRIPT),
            "--gpu",
            "none",
            "--",
            "sh",
            "-c",
            'trap "exit 7" TERM; echo ready; while :; do :; done',
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 7
    finally:
        process.kill()
        process.stdout.close()


@pytest.mark.parametrize("command", ["no-such-command", "cd"])
def test_no_such_command(select, command):
    result = select("--", command)
    assert result.returncode == 127
    assert f"error: no such command: {command}" in result.stderr


@pytest.mark.parametrize("words", [["--frob"], ["--gpu"], ["--gpu", "", "--", "sh"]])
def test_bad_usage(select, words):
    result = select(*words)
    assert result.returncode == 2 and result.stderr.startswith("error: ") and len(result.stderr.splitlines()) == 1


def test_help(select):
    result = select("--help")
    assert result.returncode == 0 and "--gpu none" in result.stdout and result.stderr == ""
