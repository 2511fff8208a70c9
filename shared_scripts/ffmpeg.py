"""Running ffmpeg: the program that imageio-ffmpeg brings, its messages, its end."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

from shared_scripts.cli import UserError

LAST_WORDS = 2**20  # bytes of ffmpeg's messages that are looked at

# How ffmpeg's messages begin that only say that something, named in the line before, went wrong
EMPTY_WORDS = re.compile(
    r"Error (opening (in|out)put|selecting an|applying enc|sending frames|while opening enc)|Could not open enc"
    r"|Task finished|Terminating|Nothing was written|Last message|Conversion failed|To ignore|Cannot determine format"
    r"|frame=|$"
)


def ffmpeg_path() -> str:
    """The ffmpeg program. UserError where there is none."""
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return get_ffmpeg_exe()
    except (ImportError, RuntimeError) as problem:
        raise UserError("films need ffmpeg; get it with: pip install imageio-ffmpeg") from problem


class Ffmpeg:
    """One run of ffmpeg, ended in any case when the context closes.

    Its messages go to a file: a pipe that nobody empties would stop it sooner or later. It has a session of its own,
    so that Ctrl-C reaches this program only, and the film can be brought to its end.
    """

    def __init__(self, *arguments: str, level: str = "error", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL):
        command = [ffmpeg_path(), "-hide_banner", "-nostdin", "-y", "-loglevel", level, *arguments]
        alone = (
            {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP} if os.name == "nt" else {"start_new_session": True}
        )
        self.log = tempfile.TemporaryFile()
        try:
            self.process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=self.log, **alone)
        except OSError as problem:
            self.log.close()
            raise UserError(
                f"cannot run {command[0]} ({problem.strerror or problem}); "
                "get a working ffmpeg with: pip install --force-reinstall imageio-ffmpeg"
            ) from problem

    def __enter__(self) -> Ffmpeg:
        return self

    def __exit__(self, *exception) -> None:
        self.close()

    def close(self) -> None:
        """End it, done or not."""
        self.process.kill()
        self.close_input()
        if self.process.stdout:
            self.process.stdout.close()
        self.process.wait()
        self.log.close()

    def close_input(self) -> None:
        """Tell it that there are no more frames. That it may be gone already, its exit status tells better."""
        try:
            if self.process.stdin:
                self.process.stdin.close()
        except OSError:
            pass

    def words(self) -> str:
        """Wait for its end; what it said."""
        self.process.wait()
        self.log.seek(max(0, self.log.seek(0, os.SEEK_END) - LAST_WORDS))
        return self.log.read().decode(errors="replace")

    def problem(self) -> str | None:
        """Wait for its end; None where all went well, else why not, in one line."""
        words, status = self.words(), self.process.returncode
        return None if status == 0 else reason(words) or f"ffmpeg ended with status {status}"


def reason(words: str) -> str:
    """The line of ffmpeg's messages that says what was wrong: the last that says anything."""
    lines = [
        re.sub(r"^\s*(\[[^]]* @ [^]]*\]\s*)+", "", line).strip() for line in words.replace("\r", "\n").splitlines()
    ]
    return next((line for line in reversed(lines) if not EMPTY_WORDS.match(line)), "")


def source(path: Path) -> list[str]:
    """The arguments that open a file, whatever its name begins with. What it refers to is not fetched from the net."""
    return ["-protocol_whitelist", "file", "-i", f"file:{path}"]
