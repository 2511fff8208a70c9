"""Where a training may be watched besides its own page: TensorBoard, visdom, Weights & Biases.

Each is a board with the same three calls; none is needed to train. `open_boards` gives those that were asked for and
are there, with one line about each that is not.
"""

from __future__ import annotations

import http.client
import importlib
import logging
import urllib.error
import urllib.request
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import numpy as np

from shared_scripts.cli import UserError, one_line
from shared_scripts.progress import Board, tell

TIMEOUT = 3.0  # seconds a visdom server may take for an answer
JPEG_QUALITY = 90  # in TensorBoard's file, which gets every picture that is shown

Images = dict[str, np.ndarray]  # label -> (H, W, 3 or 4) uint8
Losses = dict[str, float]


class TensorBoard:
    """An event file in the folder of the run: `tensorboard --logdir checkpoints`."""

    title = "TensorBoard"

    def __init__(self, folder: Path):
        self.board = Board(folder)

    def losses(self, epochs: float, iters: int, losses: Losses) -> None:
        """The losses after so many images."""
        self.board.scalars(iters, losses)

    def images(self, epoch: int, iters: int, images: Images) -> None:
        """The pictures after so many images."""
        for label, image in images.items():
            self.board.image(iters, label, image, JPEG_QUALITY)

    def close(self) -> None:
        """Write what is still waiting."""
        self.board.close()


class VisdomBoard:
    """Windows on a visdom server: the losses in window `display_id`, the pictures in those after it."""

    title = "visdom"

    def __init__(self, visdom: ModuleType, opt: Namespace):
        self.name, self.columns, self.window = opt.name, opt.display_ncols, opt.display_id
        logging.getLogger("visdom").setLevel(logging.ERROR)  # it greets every client with two warnings
        self.client = visdom.Visdom(
            server=opt.display_server,
            port=opt.display_port,
            env=opt.display_env,
            raise_exceptions=True,
            use_incoming_socket=False,
        )
        limit_waiting(self.client)
        self.begun = False

    def losses(self, epochs: float, iters: int, losses: Losses) -> None:
        """A point more on every line; the first one replaces what an earlier run left in the window."""
        names = list(losses)
        x, y = np.full((1, len(names)), epochs), np.array([list(losses.values())])
        if len(names) == 1:  # visdom wants a single line's points flat
            x, y = x[0], y[0]
        self.client.line(
            Y=y,
            X=x,
            win=str(self.window),
            update="append" if self.begun else None,
            opts={"title": f"{self.name} loss over time", "legend": names, "xlabel": "epoch", "ylabel": "loss"},
        )
        self.begun = True

    def images(self, epoch: int, iters: int, images: Images) -> None:
        """All pictures in one window, whose title lists their labels; with 0 columns each in a window of its own."""
        planes = {label: image[..., :3].transpose(2, 0, 1) for label, image in images.items()}
        if self.columns <= 0:
            for i, (label, plane) in enumerate(planes.items(), 1):
                self.client.image(plane, win=str(self.window + i), opts={"title": label})
            return
        columns = min(self.columns, len(planes))
        title = f"{self.name} images: {', '.join(planes)}"
        stack = np.stack(pad_to_one_size(list(planes.values())))
        self.client.images(stack, nrow=columns, padding=2, win=str(self.window + 1), opts={"title": title})

    def close(self) -> None:
        """Nothing waits."""


def limit_waiting(client) -> None:
    """Make a visdom client give up on a server that takes what is sent and never answers; by itself it would not."""
    from requests.adapters import HTTPAdapter  # visdom needs requests, so it is there

    class Impatient(HTTPAdapter):
        def send(self, request, **settings):
            return super().send(request, **{**settings, "timeout": TIMEOUT})

    for scheme in ("http://", "https://"):
        client.session.mount(scheme, Impatient())


def pad_to_one_size(planes: list[np.ndarray]) -> list[np.ndarray]:
    """(3, H, W) pictures with white at the right and below, so that they stack."""
    height, width = (max(plane.shape[i] for plane in planes) for i in (1, 2))
    gaps = [((0, 0), (0, height - plane.shape[1]), (0, width - plane.shape[2])) for plane in planes]
    return [np.pad(plane, gap, constant_values=255) for plane, gap in zip(planes, gaps, strict=True)]


class WandbBoard:
    """A run in a Weights & Biases project."""

    title = "wandb"

    def __init__(self, wandb: ModuleType, opt: Namespace):
        self.picture = wandb.Image
        self.run = wandb.init(project=opt.wandb_project_name, name=opt.name, config=vars(opt))

    def losses(self, epochs: float, iters: int, losses: Losses) -> None:
        """The losses after so many images."""
        self.run.log({**losses, "epoch": epochs}, step=iters)

    def images(self, epoch: int, iters: int, images: Images) -> None:
        """The pictures after so many images."""
        self.run.log({label: self.picture(image) for label, image in images.items()}, step=iters)

    def close(self) -> None:
        """Send what is still waiting."""
        self.run.finish()


def open_boards(opt: Namespace, folder: Path) -> list:
    """The boards that were asked for, as far as they can be had; one line says what to do about each that cannot."""
    boards = []
    if getattr(opt, "use_tensorboard", True):
        boards.append(attempt(TensorBoard.title, lambda: TensorBoard(folder)))
    if getattr(opt, "use_visdom", False) and opt.display_id > 0:
        boards.append(attempt(VisdomBoard.title, lambda: VisdomBoard(connect_visdom(opt), opt)))
    if getattr(opt, "use_wandb", False):
        boards.append(attempt(WandbBoard.title, lambda: WandbBoard(import_package("wandb"), opt)))
    return [board for board in boards if board]


def attempt(title: str, make):
    """What `make` returns, or None and one line where it fails: these packages raise anything."""
    try:
        return make()
    except Exception as problem:
        tell(f"Warning: training goes on without {title}: {one_line(problem)}")
        return None


def import_package(name: str) -> ModuleType:
    """An optional package. UserError with the command that gets it."""
    try:
        return importlib.import_module(name)
    except ImportError as problem:
        raise UserError(f"{name} is not installed; get it with: pip install {name}") from problem


def connect_visdom(opt: Namespace) -> ModuleType:
    """The package, once the server has answered: its own client would wait for one without end."""
    visdom = import_package("visdom")
    server = opt.display_server if "://" in opt.display_server else f"http://{opt.display_server}"
    address = f"{server.rstrip('/')}:{opt.display_port}"
    try:
        with urllib.request.urlopen(address, timeout=TIMEOUT):
            return visdom
    except urllib.error.HTTPError:  # an answer all the same, asking for a login perhaps
        return visdom
    except (OSError, ValueError, http.client.HTTPException) as problem:
        raise UserError(
            f"visdom server not reachable at {address}; start one with: python -m visdom.server"
        ) from problem
