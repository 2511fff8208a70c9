"""The command line's manners: how scripts end, what errors look like, switches and shared flags."""

import argparse
import signal
import subprocess
import sys
import threading

import pytest

from shared_scripts.cli import (
    ArgumentParser,
    RunError,
    StopBetweenSteps,
    UserError,
    add_device_flags,
    add_switch,
    boolean,
    given_flags,
    natural,
    not_negative,
    one_line,
    positive,
    run,
)


def end_of(main, capsys):
    """(exit status, stderr) of a script with this main."""
    with pytest.raises(SystemExit) as end:
        run(main)
    return end.value.code or 0, capsys.readouterr().err


def fail_with(problem):
    def main():
        raise problem

    return main


@pytest.mark.parametrize("value,status", [(None, 0), (0, 0), (1, 1), (3, 3), ("text", 0)])
def test_the_status_is_what_main_returns(capsys, value, status):
    assert end_of(lambda: value, capsys) == (status, "")


@pytest.mark.parametrize(
    "problem,status,line",
    [
        (UserError("do this instead"), 2, "error: do this instead\n"),
        (RunError("the loss is no number"), 1, "error: the loss is no number\n"),
        (UserError("two\nlines\t here"), 2, "error: two lines here\n"),
        (FileNotFoundError(2, "No such file", "cat.jpg"), 2, "error: cat.jpg: No such file\n"),
        (OSError("strange"), 2, "error: strange\n"),
        (UserError(""), 2, "error: UserError\n"),
    ],
)  # fmt: skip
def test_a_problem_ends_in_one_line(capsys, problem, status, line):
    assert end_of(fail_with(problem), capsys) == (status, line)


def test_ctrl_c_ends_with_130(capsys):
    status, err = end_of(fail_with(KeyboardInterrupt()), capsys)
    assert status == 130 and len(err.splitlines()) == 1


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0)


def test_a_real_process_ends_as_promised(tmp_path):
    code = "from shared_scripts.cli import *\ndef main(): open('nothing.txt')\nrun(main)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "error: nothing.txt: No such file or directory\n")


def test_one_line_of_a_file_problem_names_the_file():
    with pytest.raises(OSError) as problem:
        open("/no/such/folder/file")
    assert one_line(problem.value) == "/no/such/folder/file: No such file or directory"


# --- stopping between steps ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_waits_for_the_end_of_the_step(number):
    done = []
    with pytest.raises(KeyboardInterrupt), StopBetweenSteps() as stop:
        for step in range(3):
            if step == 1:
                signal.raise_signal(number)
            done.append(step)
            stop.check()
    assert done == [0, 1]


def test_a_second_ctrl_c_does_not_wait():
    with pytest.raises(KeyboardInterrupt), StopBetweenSteps():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("went on")


def test_without_ctrl_c_nothing_happens():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    with StopBetweenSteps() as stop:
        stop.check()
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_handlers_come_back_after_ctrl_c_too():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), StopBetweenSteps() as stop:
        signal.raise_signal(signal.SIGINT)
        stop.check()
    assert signal.getsignal(signal.SIGINT) == before


def test_outside_the_main_thread_it_does_nothing():
    found = []

    def work():
        with StopBetweenSteps() as stop:
            stop.check()
            found.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [before]


# --- the parser ---------------------------------------------------------------------------------------------------


def parser():
    made = ArgumentParser(prog="paint.py")
    made.add_argument("--size", type=int, default=7, help="how large")
    made.add_argument("--name", help="what it is called")
    add_switch(made, "--fast", help="hurry")
    return made


@pytest.mark.parametrize("flags", [["--size", "x"], ["--unknown"], ["--fast=perhaps"], ["--size"]])
def test_a_bad_flag_is_one_line_and_status_2(capsys, flags):
    with pytest.raises(SystemExit) as end:
        parser().parse_args(flags)
    err = capsys.readouterr().err
    assert end.value.code == 2
    assert err.startswith("error: ") and err.count("\n") == 1
    assert flags[0].split("=")[0] in err and "--help" in err


def test_help_shows_defaults_but_not_none(capsys):
    with pytest.raises(SystemExit) as end:
        parser().parse_args(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0
    assert "how large (default: 7)" in text and "hurry (default: off)" in text
    assert "what it is called" in text and "None" not in text


@pytest.mark.parametrize("word", ["TRUE", "true", " True ", "yes", "1", "on"])
def test_words_for_yes(word):
    assert boolean(word) is True


@pytest.mark.parametrize("word", ["FALSE", "false", "No", "0", "off"])
def test_words_for_no(word):
    assert boolean(word) is False


@pytest.mark.parametrize("word", ["", "2", "maybe", "none"])
def test_other_words(word):
    with pytest.raises(argparse.ArgumentTypeError, match="TRUE or FALSE"):
        boolean(word)


@pytest.mark.parametrize(
    "flags,value", [([], False), (["--fast"], True), (["--fast=FALSE"], False), (["--fast", "yes"], True)]
)
def test_a_switch_takes_an_optional_value(flags, value):
    assert parser().parse_args(flags).fast is value


@pytest.mark.parametrize("spelling", ["--gpu_ids", "--gpu-ids"])
def test_device_flags(spelling):
    made = ArgumentParser()
    add_device_flags(made)
    flags = made.parse_args(["--device", "cpu", spelling, "-1", "--precision", "bf16", "--seed", "3"])
    assert vars(flags) == {"device": "cpu", "gpu_ids": "-1", "precision": "bf16", "seed": 3}
    assert vars(made.parse_args([])) == {"device": "auto", "gpu_ids": None, "precision": "float32", "seed": None}


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (positive, {"1": 1, " 20 ": 20}, ["0", "-1", "1.5", "x", ""]),
        (natural, {"0": 0, "3": 3}, ["-1", "0.5", "x"]),
        (not_negative, {"0": 0.0, "1e-4": 1e-4}, ["-0.1", "nan", "inf", "1e300"]),
    ],
)
def test_numbers_of_flags(kind, good, bad):
    assert {text: kind(text) for text in good} == good
    for text in bad:
        with pytest.raises((argparse.ArgumentTypeError, ValueError)):
            kind(text)


def test_which_flags_were_given():
    parser = ArgumentParser()
    parser.add_argument("--lr", type=float, default=0.1)
    parser.add_argument("--name", "--old_name", default="x")
    add_switch(parser, "--fast", help="")
    assert given_flags(parser, ["--lr", "0.1", "--fast"]) == {"lr", "fast"}
    assert given_flags(parser, ["--old_name=y"]) == {"name"} and given_flags(parser, []) == set()
