"""Folders of pictures as batches: finding, reading, cropping, and reading ahead.

EXIF orientation is applied: the reference trains on photographs as the camera held them, sideways or not.
"""

from __future__ import annotations

import difflib
import glob
import os
import threading
import warnings
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from pictures import stretch_levels, to_image
from shared_scripts.cli import UserError
from shared_scripts.files import natural_key, resolve_path
from shared_scripts.images import EXTENSIONS, is_deep, read_image, resize_image
from shared_scripts.images import to_rgb as image_to_rgb
from shared_scripts.progress import tell

DOWNLOADS = {"celeba": "celebA", "lsun": "lsun", "mnist": "mnist"}
PATIENCE = 100  # so many bad pictures in a row, and it is not the pictures that are wrong
NAMED = 20  # so many bad pictures are named one by one


# --- finding ------------------------------------------------------------------------------------------------------


def find_pictures(data_dir: str | Path, dataset: str, pattern: str = "*.jpg") -> list[Path]:
    """The files data_dir/dataset/PATTERN or, where there are none, data_dir/dataset/*/PATTERN; in natural order.

    The order is the same on every system. UserError, in one line, where a folder is missing (with the names of those
    there are) or nothing matches (with the endings of what is there).
    """
    folder = find_folder(resolve_path(data_dir), dataset)
    patterns = dict.fromkeys((pattern, pattern.replace("\\", "/")))  # the second for one copied from Windows
    for wanted in (*patterns, *(os.path.join("*", each) for each in patterns)):
        names = [name for name in glob.glob(wanted, root_dir=folder, recursive=True) if (folder / name).is_file()]
        if names:
            return [folder / name for name in sorted(names, key=lambda name: (natural_key(name), name))]
    raise UserError(no_match(folder, pattern))


def find_folder(data_dir: Path, dataset: str) -> Path:
    """The data set's folder. UserError where there is none."""
    download = DOWNLOADS.get(dataset.lower())
    get = f"get it with: python download.py {download}" if download else "--data_dir names the folder of data sets"
    if not data_dir.is_dir():
        raise UserError(f"there is no folder {data_dir}, so no data set {dataset!r}; {get}")
    folder = resolve_path(data_dir / dataset)
    if folder.is_dir():
        return folder
    names = sorted(path.name for path in data_dir.iterdir() if path.is_dir() and not path.name.startswith("."))
    lower = {name.lower(): name for name in names}
    close = [lower[name] for name in difflib.get_close_matches(dataset.lower(), list(lower))]
    if close:
        hint = f"did you mean --dataset {close[0]}?"
    elif download:
        hint = get
    else:
        hint = (
            f"there are: {', '.join(names[:10])}{' ...' * (len(names) > 10)}" if names else f"{data_dir} has no folders"
        )
    raise UserError(f"there is no data set {dataset!r} in {data_dir}; {hint}")


def no_match(folder: Path, pattern: str) -> str:
    """What to say where no file matches: what is there instead."""
    files = (path for path in islice(walk_two(folder), 10_000) if not path.name.startswith("."))
    endings = Counter(path.suffix or "no ending" for path in files)
    if not endings:
        return f"there are no files in {folder}"
    found = ", ".join(f"{ending} ({count})" for ending, count in endings.most_common(5))
    if ".mdb" in endings:
        return f"{folder} holds databases, no pictures: python download.py lsun --export-lsun makes files of them"
    pictures = [ending for ending, _ in endings.most_common() if ending.lower() in EXTENSIONS]
    advice = f"try --input_fname_pattern '*{pictures[0]}'" if pictures else "--input_fname_pattern says what to take"
    return f"no file in {folder} matches {pattern!r}; it has {found}: {advice}"


def walk_two(folder: Path) -> Iterator[Path]:
    """The files in a folder, then those in its own folders."""
    entries = sorted(folder.iterdir())
    yield from (path for path in entries if path.is_file())
    for inner in entries:
        if inner.is_dir():
            yield from (path for path in inner.iterdir() if path.is_file())


# --- reading ------------------------------------------------------------------------------------------------------


def picture_mode(path: str | Path) -> int:
    """How many channels a picture file has: 1 grey, 4 where it has transparency, else 3. UserError where it has none.

    The reference decides so by the first file, and all others follow.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures and odd metadata
            with Image.open(path) as image:
                if image.has_transparency_data:
                    return 4
                return 1 if image.mode in ("1", "L") or is_deep(image) else 3
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as problem:
        read_image(path)  # it tells every kind of damage apart
        raise UserError(f"{path} cannot be read ({problem})") from problem


def folder_mode(paths: Sequence[Path]) -> int:
    """The channels of the first file that can be read. UserError where there is none among the first hundred."""
    for path in paths[:PATIENCE]:
        try:
            return picture_mode(path)
        except UserError as problem:
            last = problem
    raise last


def read_picture(path: str | Path, channels: int) -> np.ndarray:
    """A picture of any kind as (H, W, channels): RGB (3) and RGBA (4) are uint8, grey (1) is float32 in 0..255.

    Grey is Pillow's mode F, 0.299 R + 0.587 G + 0.114 B unrounded. Palettes are looked up, 16 bits are scaled to 8, and
    transparency is dropped from 1 and 3 channels. UserError, naming the file, where it is damaged or no picture.
    """
    if channels == 4:
        return read_rgba(path)
    rgb = read_image(path)
    return rgb if channels == 3 else np.array(Image.fromarray(rgb).convert("F"))[..., None]


def read_rgba(path: str | Path) -> np.ndarray:
    """(H, W, 4) uint8; a picture without transparency is opaque."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as image:
                image = ImageOps.exif_transpose(image)
                if not is_deep(image):
                    return np.array(image.convert("RGBA"))
                rgb = image_to_rgb(image)
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as problem:
        read_image(path)
        raise UserError(f"{path} cannot be read ({problem})") from problem
    return np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])


def crop_and_resize(
    image: np.ndarray,
    input_height: int,
    input_width: int,
    output_height: int,
    output_width: int,
    crop: bool = False,
    stretch: bool = False,
    name: str | Path = "the picture",
) -> np.ndarray:
    """(H, W, C) in 0..255 as (output_height, output_width, C) uint8; the arguments are those of `transform`."""
    if crop:
        height, width = image.shape[:2]
        if height < input_height or width < input_width:
            raise UserError(
                f"{name} is {width}x{height}, smaller than the crop of {input_width}x{input_height}: "
                "lower --input_height and --input_width, or leave out --crop"
            )
        top, left = round((height - input_height) / 2), round((width - input_width) / 2)
        image = image[top : top + input_height, left : left + input_width]
    if stretch:
        image = stretch_levels(image)
    elif image.dtype != np.uint8:
        image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    return resize(image, output_height, output_width)


def resize(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H, W, C) uint8 as (height, width, C), bilinear and antialiased. Colours count by their alpha, as Pillow itself
    has it."""
    image = to_image(pixels)
    image = image.convert("RGBa") if image.mode == "RGBA" else image
    image = resize_image(image, height, width, Image.Resampling.BILINEAR)
    image = image.convert("RGBA") if image.mode == "RGBa" else image
    return np.asarray(image).reshape(height, width, -1)


def transform(image: np.ndarray, *arguments, **options) -> np.ndarray:
    """A picture (H, W, C) in 0..255 as the networks want it: (output_height, output_width, C) float32 in -1..1.

    Takes input_height, input_width, output_height, output_width, crop=False, stretch=False, name="the picture". `crop`
    cuts the input size out of the middle first; without it the whole picture is squeezed. `stretch`: the reference's
    hidden contrast stretch, each (cropped) picture's darkest value becomes 0 and its brightest 255. UserError, with
    `name`, where the crop is larger than the picture.
    """
    return to_signed(crop_and_resize(image, *arguments, **options))


def to_signed(pixels: np.ndarray) -> np.ndarray:
    """uint8 as float32 in -1..1."""
    signed = pixels.astype(np.float32)
    signed /= 127.5
    signed -= 1
    return signed


# --- batches ------------------------------------------------------------------------------------------------------


def check_size(size: int, batch: int) -> None:
    """UserError for a data set of less than one batch."""
    if size < batch:
        raise UserError(
            f"Entire dataset size is less than the configured batch_size: {size} pictures, --batch_size {batch}; "
            "lower --batch_size"
        )


class Pictures:
    """The pictures of a list of files, at the size and with the channels that the networks take.

    Args:
        paths: the files.
        channels: 1, 3 or 4; all files are converted.
        input_height, input_width, output_height, output_width, crop, stretch: see `transform`.
        cache: how many bytes of pictures, at the output size, are kept in memory.
        threads: how many read ahead; by default one a processor, up to 8.

    A file that cannot be read, or is smaller than the crop, is named once and replaced by the next good one in the
    list: always the same, in whatever order and however often pictures are asked for. `broken` has their numbers and
    what is wrong with them.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        channels: int,
        input_height: int,
        input_width: int,
        output_height: int,
        output_width: int,
        crop: bool = False,
        stretch: bool = False,
        cache: int = 1 << 30,
        threads: int | None = None,
    ):
        self.paths, self.shape = list(paths), (output_height, output_width, channels)
        self.framing = (input_height, input_width, output_height, output_width, crop, stretch)
        self.room = cache // max(1, output_height * output_width * channels)
        self.threads = threads or min(8, os.cpu_count() or 1)
        self.kept: dict[int, np.ndarray] = {}
        self.broken: dict[int, str] = {}
        self.lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.paths)

    def read(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """(N, H, W, C) float32 in -1..1. UserError where a hundred files in a row, or all, are bad."""
        return to_signed(np.stack([self._good(int(i)) for i in indices]))

    def batches(self, order: Sequence[int] | np.ndarray, batch_size: int, start: int = 0) -> Iterator[np.ndarray]:
        """An epoch's batches in the given order, from the batch number `start` on; (batch_size, H, W, C) each.

        What is left over at the end is dropped. The next batches are read while one is in use. UserError where there
        are fewer pictures than one batch takes.
        """
        check_size(len(order), batch_size)
        return self._ahead(
            [order[i : i + batch_size] for i in range(0, len(order) - batch_size + 1, batch_size)][start:]
        )

    def _ahead(self, batches: list) -> Iterator[np.ndarray]:
        """Read these batches in threads, a few before they are asked for."""
        pool = ThreadPoolExecutor(self.threads)
        try:
            waiting: deque[Future] = deque()
            for batch in batches:
                waiting.append(pool.submit(self.read, batch))
                if len(waiting) > self.threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _good(self, index: int) -> np.ndarray:
        """The picture, or the first good one after it."""
        tries = min(len(self), PATIENCE)
        for i in ((index + k) % len(self) for k in range(tries)):
            if i not in self.broken:
                try:
                    return self._pixels(i)
                except UserError as problem:
                    self._put_aside(i, str(problem))
        raise UserError(f"none of {tries} pictures in a row can be used; {self.broken[index]}")

    def _pixels(self, index: int) -> np.ndarray:
        """(H, W, C) uint8."""
        pixels = self.kept.get(index)
        if pixels is None:
            path = self.paths[index]
            pixels = crop_and_resize(read_picture(path, self.shape[2]), *self.framing, name=path)
            if len(self.kept) < self.room:
                self.kept[index] = pixels
        return pixels

    def _put_aside(self, index: int, problem: str) -> None:
        """Note a bad picture, and say so the first time."""
        with self.lock:
            if index in self.broken:
                return
            self.broken[index] = problem
            if len(self.broken) <= NAMED:
                tell(f"Warning: {problem}; another picture takes its place")
            elif len(self.broken) == NAMED + 1:
                tell("Warning: there are more such pictures; they are no longer named")
