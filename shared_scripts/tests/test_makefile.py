"""The Makefile and what runs the tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@needs_make
def test_help_lists_every_documented_target():
    documented = re.findall(r"^([a-z][a-z_-]*):.*##", (ROOT / "Makefile").read_text(), re.M)
    assert {"setup", "demo", "test-all", "lint", "bench", "help"} <= set(documented)
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in documented:
        assert f"make {target} " in shown


@needs_make
def test_demo_installs_only_what_it_uses(tmp_path):
    for name in ("Makefile", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    plan = subprocess.run(["make", "-n", "demo"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "-m venv .venv" in plan
    assert "'.[neural-style]'" in plan
    assert "'.[all]'" not in plan
    assert plan.index("torch==") < plan.index("'.[neural-style]'")


@needs_make
def test_a_second_call_installs_nothing(tmp_path):
    for name in ("Makefile", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").mkdir()
    for stamp in (".created", ".torch", ".extra-neural_style"):
        (tmp_path / ".venv" / stamp).touch()
    plan = subprocess.run(["make", "-n", "demo"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert "pip" not in plan
    assert "neural_style/demo.py" in plan


def test_run_tests_reports_failures(tmp_path):
    for name, body in (("good", "assert True"), ("bad", "assert False"), ("empty", None)):
        (tmp_path / name / "tests").mkdir(parents=True)
        if body:
            (tmp_path / name / "tests" / "test_it.py").write_text(f"def test_it():\n    {body}\n")
    (tmp_path / "shared_scripts").mkdir()
    shutil.copy(ROOT / "shared_scripts" / "run_tests.py", tmp_path / "shared_scripts")

    def run(*names, jobs="2"):
        command = [sys.executable, tmp_path / "shared_scripts" / "run_tests.py", *names]
        return subprocess.run(command, capture_output=True, text=True, env={**os.environ, "TEST_JOBS": jobs})

    good = run("good")
    assert good.returncode == 0
    assert "=== all projects: 1 passed" in good.stdout
    both = run("good", "bad", "empty")
    assert both.returncode == 1
    assert "1 passed, 1 failed" in both.stdout
    assert "failed: bad, empty (no tests)" in both.stdout
    one_by_one = run("good", "bad", "empty", jobs="1")
    for outcome in (both, one_by_one):  # whatever runs at the same time, what a project says stays together
        parts = re.split(r"^=== (.+) ===$", outcome.stdout, flags=re.M)
        said = dict(zip(parts[1::2], parts[2::2], strict=True))
        assert {name: "1 passed" in said[name] for name in ("good", "bad", "empty")} == {
            "good": True, "bad": False, "empty": False,
        }  # fmt: skip
    assert one_by_one.returncode == 1 and "1 passed, 1 failed" in one_by_one.stdout
