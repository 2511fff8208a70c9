"""Make, look at and compare data sets: python dataset_tool.py COMMAND --help

python dataset_tool.py create_from_images datasets/mine my_pictures --resolution 128
python dataset_tool.py create_mnist datasets/mnist downloads/mnist
python dataset_tool.py extract datasets/mine pictures
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import dataset_commands as commands
from picture_files import FITS
from shared_scripts.cli import ArgumentParser, boolean, natural, positive, run
from shared_scripts.files import resolve_path


def resolution(text: str) -> int:
    """A power of two from 4 on."""
    value = int(text) if text.strip().isdecimal() else 0
    if value < 4 or value & (value - 1):
        raise argparse.ArgumentTypeError(f"expected a power of two from 4 on, not {text!r}")
    return value


def build_parser() -> ArgumentParser:
    """All commands. Those of the Theano version's h5tool.py have its names too."""
    description = "Make, look at and compare data sets for ProGAN, a folder of .tfrecords each."
    parser = ArgumentParser(prog="dataset_tool.py", description=description)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command", required=True)

    def command(
        name: str, function: Callable, help: str, paths: dict[str, str], aliases: tuple[str, ...] = ()
    ) -> ArgumentParser:
        made = subparsers.add_parser(name, aliases=list(aliases), help=help, description=help)
        for path, words in paths.items():
            made.add_argument(path, type=resolve_path, help=words)
        made.set_defaults(function=function)
        return made

    def creator(
        name: str, function: Callable, help: str, aliases: tuple[str, ...] = (), **paths: str
    ) -> ArgumentParser:
        made = command(name, function, help, {"tfrecord_dir": "the new data set's folder", **paths}, aliases)
        made.add_argument("--export_labels", type=boolean, default=True, metavar="1|0", help="write the labels, if any")
        return made

    any_set = "a data set: a folder of .tfrecords, or a folder or zip of pictures"
    shown = command("display", commands.display, "show pictures in a window", {"tfrecord_dir": any_set})
    add_range(shown)
    inspected = command("inspect", commands.inspect, "say what is in a data set", {"tfrecord_dir": any_set})
    inspected.add_argument("--check", action="store_true", help="read everything, and compare the checksums")
    extracted = command(
        "extract", commands.extract, "write pictures as PNG files",
        {"tfrecord_dir": any_set, "output_dir": "folder for the files"},
    )  # fmt: skip
    add_range(extracted)
    extracted.add_argument(
        "--export_labels", type=boolean, default=False, metavar="1|0", help="also write the labels, as dataset.json"
    )
    compared = command(
        "compare", commands.compare, "compare two data sets; exit status 1 where they differ",
        {"tfrecord_dir_a": any_set, "tfrecord_dir_b": any_set},
    )  # fmt: skip
    compared.add_argument("--ignore_labels", type=boolean, default=False, metavar="1|0", help="compare pictures only")

    creator("create_mnist", commands.create_mnist, "MNIST", mnist_dir="folder with the .gz files")
    made = creator(
        "create_mnistrgb", commands.create_mnistrgb, "three digits of MNIST as red, green and blue",
        ("create_mnist_rgb",), mnist_dir="folder with the .gz files",
    )  # fmt: skip
    made.add_argument("--num_images", type=positive, default=1000000, help="how many pictures to make")
    made.add_argument("--random_seed", type=natural, default=123, help="which digits they are made of")
    creator("create_cifar10", commands.create_cifar10, "CIFAR-10", cifar10_dir="folder with data_batch_1 to 5")
    creator("create_cifar100", commands.create_cifar100, "CIFAR-100", cifar100_dir="folder with the file train")
    creator("create_svhn", commands.create_svhn, "SVHN", svhn_dir="folder with train_1.pkl to 3, or train_32x32.mat")
    made = creator("create_lsun", commands.create_lsun, "a category of LSUN", lmdb_dir="the category's LMDB folder")
    made.add_argument("--resolution", type=resolution, default=256, help="width and height of the pictures")
    made.add_argument("--max_images", type=positive, help="at most so many (default: all)")
    made = creator("create_celeba", commands.create_celeba, "CelebA, 128x128", celeba_dir="with img_align_celeba_png")
    made.add_argument("--cx", type=natural, default=89, help="horizontal centre of the square that is cut out")
    made.add_argument("--cy", type=natural, default=121, help="vertical centre")
    made = creator(
        "create_celebahq", commands.create_celebahq, "CelebA-HQ, 1024x1024", ("create_celeba_hq",),
        celeba_dir="with img_celeba and Anno", delta_dir="with image_list.txt and deltas*.zip",
    )  # fmt: skip
    made.add_argument("--num_threads", type=positive, default=4, help="how many threads compute")
    made.add_argument("--num_tasks", type=positive, default=100, help="how many pictures may wait to be written")
    add_images(
        creator(
            "create_from_images", commands.create_from_images, "a folder or zip of pictures", ("create_custom",),
            image_dir="folder or zip of pictures",
        )
    )  # fmt: skip
    made = creator(
        "create_from_hdf5", commands.create_from_hdf5, "a file of the Theano version", hdf5_filename="the .h5 file"
    )
    made.add_argument("--shuffle", type=boolean, default=True, metavar="1|0", help="in a new order")
    return parser


def add_range(parser: ArgumentParser) -> None:
    """Which pictures of a data set."""
    parser.add_argument("--start", type=natural, default=0, help="number of the first picture")
    parser.add_argument("--stop", type=natural, help="number after the last one (default: to the end)")
    parser.add_argument("--step", type=positive, default=1, help="take every so many")


def add_images(parser: ArgumentParser) -> None:
    """How people's own pictures are taken in."""
    parser.add_argument("--shuffle", type=boolean, default=True, metavar="1|0", help="in a new order")
    parser.add_argument("--resolution", type=resolution, help="cut the pictures square and scale them to this size")
    parser.add_argument("--fit", choices=FITS, help="what to do with those that are not square (default: crop)")
    parser.add_argument("--channels", type=int, choices=(1, 3), help="convert all to grey or to colour")
    parser.add_argument("--skip_bad", "--skip-bad", action="store_true", help="leave out what is damaged, or different")
    parser.add_argument(
        "--labels", type=boolean, metavar="1|0",
        help="take labels from dataset.json, or else from the folders in it (default: only from a dataset.json)",
    )  # fmt: skip
    parser.add_argument("--num_threads", type=positive, help="how many threads read (default: one a processor)")


def main(argv: list[str] | None = None) -> int:
    """Run a command; the exit status."""
    parser = build_parser()
    argv = sys.argv[1:] if argv is None else argv
    if not argv:
        parser.print_help()
        return 0
    options = parser.parse_args(argv)
    return options.function(options) or 0


if __name__ == "__main__":
    run(main)
