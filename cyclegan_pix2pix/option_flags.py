"""What flags there are: one function a group of --help. `options.py` puts them together and reads them."""

from __future__ import annotations

import argparse
import math

from losses import GAN_MODES
from networks import DISCRIMINATORS, GENERATORS, INITS, NORMS
from schedules import ERAS, POLICIES
from shared_scripts.cli import finite, natural, not_negative, positive

PREPROCESS = ("resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none")


def count(text: str) -> float:
    """How many: a whole number above 0, or all (as inf)."""
    return math.inf if text.lower() in ("all", "inf") else positive(text)


def ratio(text: str) -> float:
    """A number above 0."""
    value = finite(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, not {text!r}")
    return value


def policy(text: str) -> str:
    """A learning rate policy; 2018's `lambda` is linear."""
    return "linear" if text == "lambda" else text


def add_common(parser: argparse.ArgumentParser, is_train: bool) -> None:
    """The flags that train.py and test.py share."""
    add_experiment(parser.add_argument_group("the experiment"), is_train)
    add_networks(parser.add_argument_group("the networks"))
    add_pictures(parser.add_argument_group("the pictures"), is_train)
    add_machine(parser.add_argument_group("the machine"))


def add_experiment(group, is_train: bool) -> None:
    """Names and places."""
    add = group.add_argument
    add(
        "--dataroot",
        required=True,
        metavar="DIR",
        help="the pictures: a folder with trainA and trainB, or with train (A and B side by side)"
        if is_train
        else "the pictures: for --model test a folder of them, or a single file; else a folder with testA and testB, "
        "or with test (A and B side by side)",
    )
    add("--name", default="experiment_name", metavar="NAME", help="the experiment: its folder in --checkpoints_dir")
    add("--checkpoints_dir", default="./checkpoints", metavar="DIR", help="where experiments are saved")
    add(
        "--model",
        default="cycle_gan" if is_train else "test",
        metavar="NAME",
        help="cycle_gan, pix2pix, colorization, template"
        + ("" if is_train else ", or test: one generator alone, over any pictures"),
    )
    add("--epoch", "--which_epoch", default="latest", metavar="N|latest", help="which saved epoch to load")
    add("--load_iter", type=natural, default=0, metavar="N", help="above 0: load the networks saved as iter_N instead")
    add(
        "--phase",
        default="train" if is_train else "test",
        metavar="NAME",
        help="the folder of pictures in --dataroot: train, val, test, …",
    )
    add(
        "--suffix",
        default="",
        metavar="TEXT",
        help="added to --name, with options filled in: {model}_{netG}_size{load_size}",
    )
    add("--verbose", action="store_true", help="print the networks layer by layer")


def add_networks(group) -> None:
    """Architectures."""
    add = group.add_argument
    add("--input_nc", type=positive, default=3, metavar="N", help="channels of the input: 3 RGB, 1 grey, or more")
    add("--output_nc", type=positive, default=3, metavar="N", help="channels of the output")
    add("--ngf", type=positive, default=64, metavar="N", help="filters of the generator's first and last layers")
    add("--ndf", type=positive, default=64, metavar="N", help="filters of the discriminator's first layer")
    add("--netG", "--which_model_netG", default="resnet_9blocks", choices=GENERATORS, help="generator")
    add(
        "--netD",
        "--which_model_netD",
        default="basic",
        choices=DISCRIMINATORS,
        help="discriminator; basic is the 70x70 PatchGAN, n_layers one of --n_layers_D, pixel the 1x1",
    )
    add("--n_layers_D", type=positive, default=3, metavar="N", help="layers of --netD n_layers")
    add("--norm", default="instance", choices=NORMS, help="normalisation")
    add("--init_type", default="normal", choices=INITS, help="how weights begin")
    add("--init_gain", type=not_negative, default=0.02, metavar="X", help="how large they begin")
    add("--no_dropout", action="store_true", help="no dropout in the generator; cycle_gan has none")
    add("--use_dropout", dest="no_dropout", action="store_false", help="dropout in the generator; pix2pix has it")


def add_pictures(group, is_train: bool) -> None:
    """What is read, and how it is cut."""
    add = group.add_argument
    add(
        "--dataset_mode",
        default="unaligned",
        metavar="NAME",
        help="aligned (pairs side by side), unaligned, single, colorization, template; each --model has its own",
    )
    add(
        "--align_data",
        dest="dataset_mode",
        action="store_const",
        const="aligned",
        default=argparse.SUPPRESS,
        help=argparse.SUPPRESS,
    )
    add("--direction", "--which_direction", default="AtoB", choices=("AtoB", "BtoA"), help="which way to translate")
    add("--serial_batches", action="store_true", help="pictures in order, not shuffled")
    add("--num_threads", "--nThreads", type=int, default=4, metavar="N", help="processes that read pictures (0: none)")
    add("--batch_size", "--batchSize", type=positive, default=1, metavar="N", help="pictures a step")
    own = "" if is_train else "; by default --crop_size, so that nothing is cut off"
    add("--load_size", "--loadSize", type=positive, default=286, metavar="PX", help=f"pictures are scaled to this{own}")
    add("--crop_size", "--fineSize", type=positive, default=256, metavar="PX", help="and then cut to this")
    add(
        "--max_dataset_size",
        "--ntrain",
        type=count,
        default=math.inf,
        metavar="N",
        help="take no more pictures than this",
    )
    add(
        "--preprocess",
        "--resize_or_crop",
        "--preprocessing",
        default="resize_and_crop",
        choices=PREPROCESS,
        help="how pictures are scaled and cut",
    )
    add("--no_flip", action="store_true", help="do not mirror pictures at random")
    add("--flip", dest="no_flip", action="store_false", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    add(
        "--rules",
        default="2020",
        choices=("2018", "2020"),
        help="whose rules of scaling and greying: the reference's of 2018 differ a little",
    )
    add(
        "--alpha",
        metavar="COLOUR",
        help="put transparent pictures on this colour (white, #ff8800); by default "
        "transparency is dropped, as in the reference",
    )
    add("--auto_rotate", action="store_true", help="turn photographs as their EXIF note says")
    add("--display_winsize", type=positive, default=256, metavar="PX", help="width of pictures on the page")


def add_machine(group) -> None:
    """Where and how to compute."""
    add = group.add_argument
    add("--gpu_ids", metavar="0,1", help="GPUs: 0, or 0,1,2, or -1 for the CPU; by default what there is")
    add("--device", default="auto", metavar="auto|cpu|cuda[:N]|mps", help="the same, by name")
    add(
        "--precision",
        default="float32",
        choices=("float32", "bf16", "auto"),
        help="float32 is exact; auto takes bfloat16 where this machine is measurably faster with it",
    )
    add("--seed", type=int, metavar="N", help="makes a run on the CPU repeatable to the bit")
    add("--use_wandb", action="store_true", help="log to Weights & Biases too, where that is installed")
    add("--wandb_project_name", default="CycleGAN-and-pix2pix", metavar="NAME", help="its project")


def add_train(parser: argparse.ArgumentParser) -> None:
    """The flags of train.py alone."""
    add_schedule(parser.add_argument_group("the training"))
    add_saving(parser.add_argument_group("saving and going on"))
    add_display(parser.add_argument_group("what is shown"))


def add_schedule(group) -> None:
    """How long, how fast, by which loss."""
    add = group.add_argument
    add("--n_epochs", "--niter", type=int, default=100, metavar="N", help="epochs with the first learning rate")
    add("--n_epochs_decay", "--niter_decay", type=int, default=100, metavar="N", help="epochs in which it falls to 0")
    add("--lr", type=not_negative, default=0.0002, metavar="X", help="learning rate of Adam")
    add("--beta1", type=not_negative, default=0.5, metavar="X", help="momentum of Adam")
    add("--lr_policy", type=policy, default="linear", choices=POLICIES, help="how the learning rate falls")
    add("--lr_decay_iters", type=positive, default=50, metavar="N", help="for --lr_policy step: a tenth every N epochs")
    add(
        "--lr_era",
        default="end_of_epoch",
        choices=ERAS,
        help="the reference set the rate after each epoch, and from 2020 to 2024 before it: one epoch sooner",
    )
    add("--gan_mode", default="lsgan", choices=GAN_MODES, help="the GAN's loss; vanilla is cross-entropy")
    add(
        "--no_lsgan",
        dest="gan_mode",
        action="store_const",
        const="vanilla",
        default=argparse.SUPPRESS,
        help=argparse.SUPPRESS,
    )
    add(
        "--lambda_gp",
        type=not_negative,
        default=0.0,
        metavar="X",
        help="weight of the gradient penalty of --gan_mode wgangp; the paper's is 10, the reference has none",
    )
    add("--pool_size", type=int, default=50, metavar="N", help="how many old fakes the discriminator may be shown")


def add_saving(group) -> None:
    """Files, and going on with a run."""
    add = group.add_argument
    add(
        "--continue_train",
        action="store_true",
        help="go on with the saved training: networks, optimisers, learning rate, image pools and random numbers",
    )
    add("--epoch_count", type=positive, default=1, metavar="N", help="number of the first epoch")
    add("--save_latest_freq", type=positive, default=5000, metavar="N", help="save `latest` every N pictures")
    add("--save_epoch_freq", type=positive, default=5, metavar="N", help="save the networks every N epochs")
    add("--save_by_iter", action="store_true", help="keep those of --save_latest_freq too, as iter_N")


def add_display(group) -> None:
    """The page, the lines, and the boards."""
    add = group.add_argument
    add("--display_freq", type=positive, default=400, metavar="N", help="show pictures every N pictures")
    add("--update_html_freq", type=positive, default=1000, metavar="N", help="write them on the page every N pictures")
    add("--print_freq", type=positive, default=100, metavar="N", help="print the losses every N pictures")
    add("--no_html", action="store_true", help="no page")
    add("--no_tensorboard", dest="use_tensorboard", action="store_false", help="no TensorBoard file")
    add("--use_visdom", action="store_true", help="show it in visdom too (python -m visdom.server)")
    add("--display_id", type=int, default=1, metavar="N", help="visdom's window; 0 is no visdom")
    add(
        "--display_ncols",
        "--display_single_pane_ncols",
        type=int,
        default=4,
        metavar="N",
        help="pictures a row in visdom",
    )
    add("--display_server", default="http://localhost", metavar="URL", help="visdom's server")
    add("--display_port", type=int, default=8097, metavar="N", help="visdom's port")
    add("--display_env", default="main", metavar="NAME", help="visdom's environment")


def add_test(parser: argparse.ArgumentParser) -> None:
    """The flags of test.py alone."""
    group = parser.add_argument_group("the results")
    add = group.add_argument
    add("--results_dir", default="./results/", metavar="DIR", help="where results go")
    add("--num_test", "--how_many", type=count, default=50, metavar="N|all", help="how many pictures")
    add(
        "--eval",
        action="store_true",
        help="running statistics instead of each picture's own, and no dropout; the reference's default is without",
    )
    add("--aspect_ratio", type=ratio, default=1.0, metavar="X", help="stretch the results: above 1 higher, below wider")
    add(
        "--labels",
        default="2020",
        choices=("2018", "2020"),
        help="for --model test: results are called real and fake, or as in 2018 real_A and fake_B",
    )
    add("--keep_size", action="store_true", help="give every result back at the size its picture came in")
    add("--ntest", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
