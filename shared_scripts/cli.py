"""The command line's manners, the same in every script: one-line errors, Ctrl-C, old flag spellings, shared flags."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn


class UserError(Exception):
    """Something the person at the keyboard can put right; its message says what and how, in one line."""


class RunError(UserError):
    """The run itself failed though the input was fine (a loss became NaN, say): exit status 1 instead of 2."""


class ArgumentParser(argparse.ArgumentParser):
    """argparse whose errors are one line, and whose --help shows every default."""

    def __init__(self, **kwargs):
        kwargs.setdefault("formatter_class", HelpFormatter)
        super().__init__(**kwargs)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message} (all flags: python {self.prog} --help)\n")

    def _get_option_tuples(self, option_string: str) -> list:
        """What an abbreviation may mean. Two spellings of one flag are no ambiguity, though Python before 3.14 has it
        so: the original's `--check` must stay enough for `--checkpoint`, beside our `--checkpoint-dir`."""
        found = super()._get_option_tuples(option_string)
        return found[:1] if len({id(option[0]) for option in found}) == 1 else found


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults; a switch's is "off", and None, which tells nobody anything, is left to the help text."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None:
            return action.help
        if action.default is False:
            return f"{action.help} (default: off)"
        return super()._get_help_string(action)


def boolean(text: str) -> bool:
    """The value of a switch written ``--flag=TRUE``; argparse's own switches take no value."""
    words = {"true": True, "yes": True, "1": True, "on": True, "false": False, "no": False, "0": False, "off": False}
    try:
        return words[text.strip().lower()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"expected TRUE or FALSE, not {text!r}") from None


def finite(text: str) -> float:
    """A number that can be computed with in float32: `float` lets nan, inf and 1e300 through."""
    value = float(text)
    if not abs(value) < 3e38:
        raise argparse.ArgumentTypeError(f"expected a finite number, not {text!r}")
    return value


def not_negative(text: str) -> float:
    """A finite number from 0 on."""
    value = finite(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"expected a number of at least 0, not {text!r}")
    return value


def positive(text: str) -> int:
    """A whole number above 0."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number above 0, not {text!r}")
    return int(text)


def natural(text: str) -> int:
    """A whole number from 0 on."""
    if not text.strip().isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, not {text!r}")
    return int(text)


def add_switch(parser, *names: str, help: str) -> None:
    """A switch that is off unless given, and that also takes ``=TRUE`` or ``=FALSE`` as old command lines do."""
    parser.add_argument(*names, nargs="?", const=True, default=False, type=boolean, metavar="TRUE|FALSE", help=help)


def add_device_flags(parser, precision_default: str = "float32", devices: str = "auto|cpu|cuda[:N]|mps") -> None:
    """The flags every computing script has: --device, --gpu_ids, --precision, --seed. `devices` is for --help."""
    parser.add_argument("--device", default="auto", metavar=devices, help="where to compute")
    parser.add_argument("--gpu_ids", "--gpu-ids", metavar="N", help="GPU number (the first is used); -1 is the CPU")
    parser.add_argument(
        "--precision",
        default=precision_default,
        choices=["float32", "bf16", "auto"],
        help="float32 is exact; auto takes bfloat16 where this machine is measurably faster with it",
    )
    parser.add_argument("--seed", type=int, help="makes a run on the CPU repeatable to the bit")


def given_flags(parser: argparse.ArgumentParser, argv: list[str]) -> set[str]:
    """The flags that stand on a command line which `parser` takes, by their names in the options."""
    probe = argparse.Namespace(**{action.dest: None for action in parser._actions})
    nothing = object()
    for name in vars(probe):
        setattr(probe, name, nothing)
    parsed = parser.parse_args(argv, probe)
    return {name for name, value in vars(parsed).items() if value is not nothing}


class StoppedBetweenSteps(KeyboardInterrupt):
    """Ctrl-C, answered where the state is whole and may be saved."""


class StopBetweenSteps:
    """While this context is open, Ctrl-C waits until the loop inside asks with `check`.

    A step cut in half leaves state that no resumed run can continue exactly. A second Ctrl-C during the step does not
    wait; while the first is being answered, by saving, it is ignored. A polite kill (SIGTERM, as cluster schedulers
    send it) counts as Ctrl-C. Outside the main thread this does nothing.
    """

    def __init__(self):
        self.asked = self.answered = False
        self.before: dict[int, object] = {}

    def __enter__(self) -> StopBetweenSteps:
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *exception) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame) -> None:
        if self.asked and not self.answered:
            raise KeyboardInterrupt
        self.asked = True

    def check(self) -> None:
        """Raise StoppedBetweenSteps if Ctrl-C was pressed since the context was opened."""
        if self.asked:
            self.answered = True
            raise StoppedBetweenSteps


def one_line(problem: BaseException) -> str:
    """A problem's message on one line; an OSError's with the file it is about."""
    if isinstance(problem, OSError) and problem.filename is not None:
        return f"{problem.filename}: {problem.strerror or problem}"
    return " ".join(str(problem).split()) or type(problem).__name__


def run(main: Callable[[], object]) -> NoReturn:
    """Call ``main`` and end the process the way people expect.

    Status 0 (or the int ``main`` returns); 2 and one line ``error: …`` on stderr for a UserError or an unreadable
    file (1 for a RunError); 130 after Ctrl-C, which ``main`` itself answers by saving what there is. Any other
    exception is a bug and keeps its traceback.
    """
    try:
        status = main()
    except RunError as problem:
        fail(problem, 1)
    except (UserError, OSError) as problem:
        fail(problem, 2)
    except KeyboardInterrupt:
        print("stopped by Ctrl-C", file=sys.stderr)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def fail(problem: BaseException, status: int) -> NoReturn:
    """Print ``error: …`` and leave."""
    print(f"error: {one_line(problem)}", file=sys.stderr)
    sys.exit(status)
