"""Training data at every resolution: TFRecord folders, folders and zips of pictures, and nothing but zeros.

`open_dataset(path)` finds out which it is. All of them are uint8 in memory or on the disk, so that the pictures of a
low resolution cost no more than they weigh.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import picture_files as files
from parallel import in_order
from pyramid import LOWEST, largest_power, log2_of, pyramid
from shared_scripts.cli import UserError
from shared_scripts.files import resolve_path
from shared_scripts.memory import check_memory
from shared_scripts.progress import Progress, tell
from tfrecords import TFRecordFile

MEMORY_BUDGET = 2 << 30  # bytes of pictures that are held in memory
SHOWN_PROBLEMS = 5


class Dataset:
    """What all data sets have.

    name            the folder's or file's name
    resolution      of the largest level, a power of two; num_channels: 1 or 3
    label_size      0 where there are no labels; labels: [n, label_size] float32
    dynamic_range   of the pixels
    problems        a line for each picture that was left out
    """

    dynamic_range = (0, 255)

    def __init__(self, name: str, resolution: int, num_channels: int, labels: np.ndarray):
        self.name, self.resolution, self.num_channels = name, resolution, num_channels
        self.labels = np.ascontiguousarray(labels, np.float32)
        self.label_size = self.labels.shape[1]
        self.levels = log2_of(resolution, f"the resolution of {name}")
        self.problems: list[str] = []

    def __len__(self) -> int:
        return len(self.labels)

    def images(self, indices: np.ndarray, level: int) -> np.ndarray:
        """[N, num_channels, 2^level, 2^level] uint8: the pictures of these numbers; `level` from 2 to log2(resolution).

        IndexError where a number or the level is out of range, UserError where a file is damaged.
        """
        indices = np.asarray(indices, np.int64).reshape(-1)
        if not LOWEST <= level <= self.levels:
            raise IndexError(f"level {level}; {self.name} has the levels {LOWEST} to {self.levels}")
        if len(indices) and not (0 <= indices.min() and indices.max() < len(self)):
            raise IndexError(f"picture {indices.min()} to {indices.max()}; {self.name} has {len(self)}")
        return self._read(indices, level)

    def _read(self, indices: np.ndarray, level: int) -> np.ndarray:
        raise NotImplementedError


class SyntheticDataset(Dataset):
    """Pictures and labels that are all zeros, for measuring speed."""

    def __init__(self, resolution: int = 1024, num_channels: int = 3, label_size: int = 0, size: int = 65536):
        log2_of(resolution, "the resolution")
        super().__init__(
            f"syn{resolution}{'rgb' if num_channels == 3 else ''}", resolution, num_channels,
            np.zeros((size, label_size), np.float32),
        )  # fmt: skip

    def _read(self, indices: np.ndarray, level: int) -> np.ndarray:
        return np.zeros((len(indices), self.num_channels, 1 << level, 1 << level), np.uint8)


class TFRecordDataset(Dataset):
    """A folder X with X-r02.tfrecords, X-r03.tfrecords, ... and perhaps X-rxx.labels. UserError where it is none."""

    def __init__(
        self,
        folder: Path,
        resolution: int | None = None,
        label_file: str | Path | None = None,
        max_label_size: int | str = 0,
    ):
        self.files = open_levels(folder)
        resolution = resolution or 1 << max(self.files)
        top = log2_of(resolution, "the resolution asked for")
        if top > max(self.files):
            most = 1 << max(self.files)
            raise UserError(f"{folder} has pictures up to {most}x{most}, not {resolution}")
        check_levels(folder, {level: self.files.get(level) for level in range(LOWEST, top + 1)})
        count = len(self.files[top])
        labels = find_labels(folder, label_file, count, max_label_size)
        super().__init__(folder.resolve().name, resolution, self.files[top].shape[0], labels)

    def _read(self, indices: np.ndarray, level: int) -> np.ndarray:
        return self.files[level].read(indices)


class PictureDataset(Dataset):
    """Pictures of a folder or zip, made square and scaled down once, and then held in memory.

    What cannot be read is left out, and named in `problems`. UserError where nothing is left, or they do not fit.
    """

    def __init__(
        self,
        path: Path,
        resolution: int | None = None,
        max_label_size: int | str = 0,
        num_channels: int | None = None,
        fit: str = "crop",
        memory_budget: int = MEMORY_BUDGET,
    ):
        found = files.open_pictures(path)
        if max_label_size == "auto":
            max_label_size = "full" if files.has_labels(found) else 0
        labels = files.read_labels(found) if max_label_size else np.zeros((len(found.names), 0))
        resolution = resolution or largest_power(min(files.first_size(found)))
        log2_of(resolution, "the resolution asked for")
        channels = num_channels or files.common_channels(found)
        if channels not in (1, 3):
            raise UserError(f"pictures have 1 or 3 channels, not {channels}")
        check_budget(path, len(found.names), channels, resolution, memory_budget)
        self.arrays, kept, problems = load_all(found, resolution, channels, fit)
        if not kept:
            raise UserError(f"no picture in {path} can be read: {problems[0]}")
        super().__init__(
            path.stem if path.is_file() else path.resolve().name, resolution, channels,
            cut_labels(labels[kept], max_label_size),
        )  # fmt: skip
        self.problems = problems
        report(problems, len(found.names))

    def _read(self, indices: np.ndarray, level: int) -> np.ndarray:
        return self.arrays[level][indices]


def open_dataset(
    path: str | Path,
    resolution: int | None = None,
    label_file: str | Path | None = None,
    max_label_size: int | str = 0,
    num_channels: int | None = None,
    fit: str = "crop",
    memory_budget: int = MEMORY_BUDGET,
) -> Dataset:
    """The data set at a path: a folder of .tfrecords, or a folder or zip of pictures.

    resolution      a power of two; None is the largest there is (of pictures: that fits into the first one)
    label_file      of TFRecords: another file than the folder's *.labels
    max_label_size  how many components of the labels to use: 0, a number, "full", or "auto": all, if there are any
    num_channels    of pictures: 1 or 3; None is 1 where all are grey
    fit             of pictures: what to do with those that are not square, see `picture_files.squared`
    memory_budget   bytes that pictures may take

    UserError, with what to do about it, where that is not there or damaged.
    """
    path = resolve_path(path)
    check_label_size(max_label_size)
    if not path.exists():
        raise UserError(f"there is no data set {path}; dataset_tool.py makes one (python dataset_tool.py --help)")
    if path.suffix == ".tfrecords":
        raise UserError(f"{path} is one file of a data set; name the folder, {path.parent}")
    if path.suffix in (".h5", ".hdf5"):
        raise UserError(f"{path} is of the Theano version: python dataset_tool.py create_from_hdf5 {path.stem} {path}")
    if path.is_dir() and next(path.glob("*.tfrecords"), None):
        return TFRecordDataset(path, resolution, label_file, max_label_size)
    if label_file is not None:
        raise UserError(f"a label file is for TFRecords; the labels of {path} are in its {files.METADATA}")
    if path.is_dir() and next(files.walk(path), None) is None:
        raise UserError(f"the folder {path} is empty; dataset_tool.py makes data sets (python dataset_tool.py --help)")
    inside = sorted({file.parent.name for file in path.glob("*/*.tfrecords")}) if path.is_dir() else []
    if inside:
        raise UserError(f"{path} is a folder of data sets; name one of them: {', '.join(inside)}")
    return PictureDataset(path, resolution, max_label_size, num_channels, fit, memory_budget)


# --- TFRecord folders ---------------------------------------------------------------------------------------------


def open_levels(folder: Path) -> dict[int, TFRecordFile]:
    """The folder's files by the log2 of their resolution, which their first records tell. UserError if none is good."""
    paths = sorted(folder.glob("*.tfrecords"))
    if not paths:
        raise UserError(f"there are no .tfrecords files in {folder}; dataset_tool.py makes them")
    prefixes = {path.stem.rpartition("-r")[0] for path in paths}
    if len(prefixes) > 1:
        own = [path for path in paths if path.stem.rpartition("-r")[0] == folder.resolve().name]
        if not own:
            raise UserError(
                f"{folder} holds several data sets ({', '.join(sorted(prefixes))}): a folder for each, please"
            )
        paths = own
    levels: dict[int, TFRecordFile] = {}
    for path in paths:
        file = TFRecordFile(path)
        channels, height, width = file.shape
        if height != width or height < 4 or height & (height - 1):
            raise UserError(f"{path}: its pictures are {width}x{height}; they must be square, and a power of two")
        if channels not in (1, 3):
            raise UserError(f"{path}: its pictures have {channels} channels instead of 1 or 3")
        level = height.bit_length() - 1
        if level in levels:
            raise UserError(f"{levels[level].path} and {path} both have pictures of {width}x{height}")
        levels[level] = file
    return levels


def check_levels(folder: Path, levels: dict[int, TFRecordFile | None]) -> None:
    """UserError unless every level is there, with as many pictures, of as many channels."""
    missing = [f"{1 << level}x{1 << level} (-r{level:02d}.tfrecords)" for level, file in levels.items() if file is None]
    if missing:
        raise UserError(f"{folder} lacks the files of {', '.join(missing)}: copy them too, or make the data set again")
    top = levels[max(levels)]
    for file in levels.values():
        if len(file) != len(top):
            raise UserError(
                f"{file.path} has {len(file)} pictures, but {top.path} {len(top)}: the data set is not complete, "
                "make it again with dataset_tool.py"
            )
        if file.shape[0] != top.shape[0]:
            raise UserError(f"{file.path} has {file.shape[0]} channels, but {top.path} {top.shape[0]}")


def find_labels(folder: Path, label_file: str | Path | None, count: int, max_label_size: int | str) -> np.ndarray:
    """[count, label_size] float32 from the folder's *.labels, or from `label_file`, in the folder or anywhere."""
    none = np.zeros((count, 0), np.float32)
    if max_label_size == 0:
        return none
    if label_file is None:
        path = min(folder.glob("*.labels"), default=None)
        if path is None and max_label_size == "auto":
            return none
        if path is None:
            raise UserError(f"{folder} has no labels (*.labels); without them, set max_label_size to 0 (no -cond)")
    else:
        inside, path = folder / label_file, resolve_path(label_file)
        path = inside if inside.is_file() else path
        if not path.is_file():
            raise UserError(f"there is no label file {label_file}, nor one of that name in {folder}")
    labels = read_label_file(path)
    if len(labels) != count:
        raise UserError(f"{path} has {len(labels)} labels, but there are {count} pictures: they do not belong together")
    return cut_labels(labels, max_label_size)


def read_label_file(path: Path) -> np.ndarray:
    """[n, label_size] float32 of a .npy file, whatever its name. UserError where it is damaged."""
    try:
        labels = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, MemoryError) as problem:
        raise UserError(f"{path} is damaged or no file of labels; copy it again") from problem
    if not isinstance(labels, np.ndarray) or labels.ndim != 2 or labels.dtype.kind not in "fiub":
        raise UserError(f"{path} is no table of labels: it must hold numbers, a row a picture")
    labels = labels.astype(np.float32)
    if not np.isfinite(labels).all():
        raise UserError(f"{path} has labels that are no numbers (nan or inf)")
    return labels


def check_label_size(max_label_size: int | str) -> None:
    """UserError unless it is a number from 0 on, or a word."""
    if max_label_size not in ("full", "auto") and (type(max_label_size) is not int or max_label_size < 0):
        raise UserError(f"max_label_size must be 0, a whole number or 'full', not {max_label_size!r}")


def cut_labels(labels: np.ndarray, max_label_size: int | str) -> np.ndarray:
    """The first components."""
    return labels if isinstance(max_label_size, str) else labels[:, :max_label_size]


# --- folders and zips of pictures ---------------------------------------------------------------------------------


def check_budget(path: Path, count: int, channels: int, resolution: int, budget: int) -> None:
    """UserError where the pictures at all resolutions are too much for the memory."""
    needed = count * channels * resolution**2 * 4 // 3
    if needed > budget:
        raise UserError(
            f"{count} pictures of {resolution}x{resolution} take {needed / 2**30:.1f} GB of memory; write them to "
            f"the disk once: python dataset_tool.py create_from_images {path.stem}-set {path} --resolution {resolution}"
        )
    check_memory(needed, f"{count} pictures of {resolution}x{resolution}")


def load_all(
    found: files.Pictures, resolution: int, channels: int, fit: str
) -> tuple[dict[int, np.ndarray], list[int], list[str]]:
    """All pictures at all levels, {level: [n, channels, 2^level, 2^level]}, which ones these are, and the problems."""
    top = resolution.bit_length() - 1
    count = len(found.names)
    arrays = {level: np.empty((count, channels, 1 << level, 1 << level), np.uint8) for level in range(LOWEST, top + 1)}

    def levels_of(name: str) -> list[np.ndarray] | UserError:
        try:
            return pyramid(files.squared(files.load(found, name, channels), resolution, fit))
        except UserError as problem:
            return problem

    kept, problems = [], []
    with Progress(count) as progress:
        for number, levels in enumerate(in_order(levels_of, found.names)):
            progress.update()
            if isinstance(levels, UserError):
                problems.append(str(levels))
                continue
            for array, pixels in zip(reversed(arrays.values()), levels, strict=True):
                array[len(kept)] = pixels
            kept.append(number)
    return {level: array[: len(kept)] for level, array in arrays.items()}, kept, problems


def report(problems: list[str], count: int) -> None:
    """Say which of `count` pictures were left out; the first few by name."""
    for problem in problems[:SHOWN_PROBLEMS]:
        tell(f"Warning: left out: {problem}")
    if problems:
        tell(f"Warning: {len(problems)} of {count} pictures were left out.")
