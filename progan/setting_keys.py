"""Every setting there is: the names of the reference's config.py with its defaults, what each takes, and what it does.

Ours, which the reference does not have, are marked so in the table. `settings.py` uses it to check, `options.py` makes
flags of it.
"""

from __future__ import annotations

from dataclasses import dataclass

from schedule import TICK_KIMG
from setting_kinds import (
    SWITCH,
    TEXT,
    Kind,
    either,
    function,
    maybe,
    number,
    one_of,
    power_of_two,
    rising,
    sequence,
    table,
    whole,
)


@dataclass(frozen=True)
class Key:
    """A setting. `used` is False for those that are understood and have no effect here."""

    default: object
    kind: Kind
    help: str = ""
    used: bool = True


def unused(default: object, kind: Kind) -> Key:
    """A setting of the reference that means nothing here."""
    return Key(default, kind, "", False)


ANY_NUMBER = number(-1e12)
FORMATS = one_of("float32", "float16")
NAME_OR_NUMBER = either(whole(), TEXT)

# ---- data -----------------------------------------------------------------------------------------------------------

CLASSES = ("dataset.TFRecordDataset", "dataset.SyntheticDataset")
TFRECORDS = {
    "class_name": Key(CLASSES[0], function(*CLASSES), "how pictures are stored; SyntheticDataset is black pictures"),
    "tfrecord_dir": Key(None, maybe(TEXT), "the pictures: a folder in data_dir, or any folder or zip (see --data)"),
    "resolution": Key(None, maybe(power_of_two()), "train at this size (default: that of the pictures)"),
    "label_file": Key(None, maybe(TEXT), "labels, .npy (default: what lies beside the pictures)"),
    "max_label_size": Key(0, either(whole(), one_of("full")), "how many components of the labels to learn, or full"),
    "repeat": unused(True, SWITCH),
    "shuffle_mb": Key(4096, whole(), "0: the pictures in their order"),
    "prefetch_mb": unused(2048, whole()),
    "buffer_mb": unused(256, whole()),
    "num_threads": unused(2, whole(1)),
}
SYNTHETIC = {
    "class_name": TFRECORDS["class_name"],
    "resolution": Key(1024, power_of_two(), "SyntheticDataset: the pictures' size"),
    "num_channels": Key(3, whole(1, 512), "SyntheticDataset: 1 is grey, 3 colour"),
    "dtype": unused("uint8", TEXT),
    "dynamic_range": unused([0, 255], sequence(ANY_NUMBER, 2)),
    "label_size": Key(0, whole(0, 10**6), "SyntheticDataset: how many labels"),
    "label_dtype": unused("float32", TEXT),
}

# ---- what is done ---------------------------------------------------------------------------------------------------

TRAINING = {
    "G_smoothing": Key(0.999, number(0, 1), "how much of the averaged generator stays at each step"),
    "D_repeats": Key(1, whole(1, 1000), "steps of the discriminator for one of the generator"),
    "minibatch_repeats": Key(4, whole(1, 1000), "steps between looks at the schedule"),
    "reset_opt_for_new_lod": Key(True, SWITCH, "begin Adam anew when layers come in, and when they are in"),
    "total_kimg": Key(15000, number(), "how long to train, in thousands of real pictures"),
    "mirror_augment": Key(False, SWITCH, "turn half of the pictures left to right"),
    "drange_net": Key([-1, 1], rising(ANY_NUMBER), "the networks' black and white"),
    "image_snapshot_ticks": Key(1, whole(1), "ticks between sheets of samples"),
    "network_snapshot_ticks": Key(10, whole(1), "ticks between saved networks"),
    "save_tf_graph": unused(False, SWITCH),
    "save_weight_histograms": Key(False, SWITCH, "histograms of the weights in TensorBoard"),
    "resume_run_id": Key(None, maybe(NAME_OR_NUMBER), "begin with the networks of this run, folder or file"),
    "resume_snapshot": Key(None, maybe(NAME_OR_NUMBER), "which of its snapshots: kimg (default: the last)"),
    "resume_kimg": Key(0.0, number(), "how far they had been trained (default: what the file's name says)"),
    "resume_time": Key(0.0, number(), "seconds that had taken"),
    "adjust_smoothing": Key(False, SWITCH, "G_smoothing to the power of minibatch/16, as in early 2018 (ours)"),
    "lrate_decay_kimg": Key(None, maybe(number()), "from here on learning rates fall, to a twentieth (ours)"),
}
SHEETS = {
    "run_id": Key(None, maybe(NAME_OR_NUMBER), "the run: its number or folder"),
    "snapshot": Key(None, maybe(NAME_OR_NUMBER), "which snapshot: kimg (default: the last)"),
    "grid_size": Key([1, 1], sequence(whole(1, 1000), 2, "15,8"), "columns and rows of pictures"),
    "image_shrink": Key(1, whole(1, 1024), "make pictures smaller by this factor"),
    "random_seed": Key(1000, whole(0, 2**32 - 1), "which latents"),
    "minibatch_size": Key(8, whole(1, 10**6), "pictures at a time"),
}
FILM = {
    "mp4": Key(None, maybe(TEXT), "the film's name (default: the run's)"),
    "mp4_fps": Key(30, number(0.01, 1000), "pictures a second"),
    "mp4_codec": unused("libx265", TEXT),
    "mp4_bitrate": Key("16M", TEXT, "how good the film is, such as 16M"),
}
METRICS = {  # the reference's tables: metric -> (file, images, passes over the real ones)
    "swd": ("metric-swd-16k.txt", 16384, 2),
    "fid": ("metric-fid-50k.txt", 50000, 1),
    "is": ("metric-is-50k.txt", 50000, 1),
    "msssim": ("metric-msssim-20k.txt", 20000, 1),
}
FUNCTIONS: dict[str, dict[str, Key]] = {
    "train.train_progressive_gan": TRAINING,
    "util_scripts.generate_fake_images": {
        **SHEETS,
        "num_pngs": Key(1, whole(1, 10**7), "how many files"),
        "png_prefix": Key(None, maybe(TEXT), "how their names begin (default: the run's name)"),
    },
    "util_scripts.generate_interpolation_video": {
        **SHEETS,
        **FILM,
        "image_zoom": Key(1, whole(1, 64), "make pictures larger by this factor"),
        "duration_sec": Key(60.0, number(0.01, 1e6), "how long the film is (default: 60.0; that of a training 20.0)"),
        "smoothing_sec": Key(1.0, number(0, 1e4), "how slowly pictures change"),
    },
    "util_scripts.generate_training_video": {
        **FILM,
        "run_id": SHEETS["run_id"],
        "duration_sec": Key(20.0, number(0.01, 1e6), "how long the film is"),
        "time_warp": Key(1.5, number(0.01, 100), "above 1: the beginning goes slower"),
    },
    "util_scripts.evaluate_metrics": {
        "run_id": SHEETS["run_id"],
        "log": Key(None, maybe(TEXT), "the table's file (default: metric-….txt)"),
        "metrics": Key(["swd"], sequence(one_of(*METRICS), None, "swd,msssim"), f"of {' '.join(METRICS)}"),
        "num_images": Key(None, maybe(whole(2, 10**8)), "how many pictures (default: the reference's for the metric)"),
        "real_passes": Key(None, maybe(whole(1, 2)), "2: compare the real pictures with others of them, too"),
        "minibatch_size": Key(None, maybe(whole(1, 10**6)), "pictures at a time (default: by their size)"),
    },
}
TRAIN = next(iter(FUNCTIONS))
SUGGESTED = {  # what a function's folder is called where nothing is said
    "util_scripts.generate_fake_images": "fake-images",
    "util_scripts.generate_interpolation_video": "interpolation",
    "util_scripts.generate_training_video": "training-video",
    "util_scripts.evaluate_metrics": "evaluation",
}
OLD_FUNCTIONS = {  # of the Theano release
    "train_gan": TRAIN,
    "interpolate_latents": "util_scripts.generate_interpolation_video",
    "calc_inception_scores": "util_scripts.evaluate_metrics",
    "calc_sliced_wasserstein_scores": "util_scripts.evaluate_metrics",
}
OLD_METRICS = {"calc_inception_scores": ["is"], "calc_sliced_wasserstein_scores": ["swd"]}

# ---- networks, losses, optimisers -----------------------------------------------------------------------------------

FROM_DATA = ("num_channels", "resolution", "label_size")  # what networks get from the data
WIDTHS = {
    "fmap_base": Key(8192, whole(1), "how wide the networks are: feature maps at a stage = fmap_base / 2^stage"),
    "fmap_decay": Key(1.0, number(0, 16), "how fast they get narrower"),
    "fmap_max": Key(512, whole(1, 2**20), "at most so many feature maps"),
}
NETWORK_END = {
    "dtype": Key("float32", FORMATS, "float16 (fp16 preset): bfloat16 where it is faster"),
    "fused_scale": Key(True, SWITCH, "scale and convolve in one"),
    "structure": unused(None, maybe(one_of("linear", "recursive"))),
}
G = {
    "func": Key("networks.G_paper", function("networks.G_paper")),
    **WIDTHS,
    "latent_size": Key(None, maybe(whole(1, 2**20)), "numbers in a latent (default: as many as feature maps at first)"),
    "normalize_latents": Key(True, SWITCH, "put latents onto a sphere"),
    "use_wscale": Key(True, SWITCH, "equalised learning rate"),
    "use_pixelnorm": Key(True, SWITCH, "normalise every pixel's features"),
    "pixelnorm_epsilon": Key(1e-8, number(1e-30, 1), "added in pixelnorm against division by zero"),
    "use_leakyrelu": Key(True, SWITCH, "leaky ReLU in the generator"),
    **NETWORK_END,
}
D = {
    "func": Key("networks.D_paper", function("networks.D_paper")),
    **WIDTHS,
    "use_wscale": G["use_wscale"],
    "mbstd_group_size": Key(4, whole(0, 2**20), "pictures a group of minibatch stddev; 0 or 1: without it"),
    **NETWORK_END,
}
OPTIMIZER = {
    "beta1": Key(0.0, number(0, 1, open_end=True), "Adam's"),
    "beta2": Key(0.99, number(0, 1, open_end=True), "Adam's"),
    "epsilon": Key(1e-8, number(0, 1), "Adam's"),
    "use_loss_scaling": unused(False, SWITCH),
    "loss_scaling_init": unused(64.0, ANY_NUMBER),
    "loss_scaling_inc": unused(0.0005, ANY_NUMBER),
    "loss_scaling_dec": unused(1.0, ANY_NUMBER),
}
COND = Key(1.0, number(), "weight of the labels' loss")
G_LOSS = {"func": Key("loss.G_wgan_acgan", function("loss.G_wgan_acgan")), "cond_weight": COND}
D_LOSS = {
    "func": Key("loss.D_wgangp_acgan", function("loss.D_wgangp_acgan")),
    "wgan_lambda": Key(10.0, number(), "weight of the gradient penalty"),
    "wgan_epsilon": Key(0.001, number(), "weight of the drift penalty"),
    "wgan_target": Key(1.0, number(1e-6), "what gradients' norms are drawn to"),
    "cond_weight": COND,
}

# ---- schedule, sheets, and the rest ---------------------------------------------------------------------------------

RATE, RATES = number(0, 10), table(number(0, 10))
EVERY = "; given alone, at every resolution"
SIZE, SIZES = whole(1, 10**6), table(whole(1, 10**6))
SCHED = {
    "lod_initial_resolution": Key(4, power_of_two(), "where growing begins"),
    "lod_training_kimg": Key(600, number(), "thousands of pictures to train between fades"),
    "lod_transition_kimg": Key(600, number(), "thousands of pictures to fade in a resolution"),
    "minibatch_base": Key(16, SIZE, f"pictures a step{EVERY}"),
    "minibatch_dict": Key({}, SIZES, "the same by resolution"),
    "max_minibatch_per_gpu": Key({}, SIZES, "at most so many on one GPU, by resolution"),
    "G_lrate_base": Key(0.001, RATE, f"the generator's learning rate{EVERY}"),
    "G_lrate_dict": Key({}, RATES, "the same by resolution"),
    "D_lrate_base": Key(0.001, RATE, f"the discriminator's learning rate{EVERY}"),
    "D_lrate_dict": Key({}, RATES, "the same by resolution"),
    "tick_kimg_base": Key(160, number(1e-6), f"thousands of pictures a tick, after which there is a line{EVERY}"),
    "tick_kimg_dict": Key(TICK_KIMG, table(number(1e-6)), "the same by resolution"),
}
GRID = {
    "size": Key("1080p", either(sequence(whole(1, 1000), 2), TEXT), "sheets of samples: 1080p, 4k, or 8x6 pictures"),
    "layout": Key("random", one_of("random", "row_per_class"), "random, or a row for each label"),
}
GROUPS: dict[str, dict[str, Key]] = {
    "dataset": TFRECORDS, "train": TRAINING, "G": G, "D": D, "G_opt": OPTIMIZER, "D_opt": OPTIMIZER, "G_loss": G_LOSS,
    "D_loss": D_LOSS, "sched": SCHED, "grid": GRID,
}  # fmt: skip
TOP = {
    "data_dir": Key("datasets", TEXT, "where data sets are"),
    "result_dir": Key("results", TEXT, "where runs get their folders"),
    "desc": Key("pgan", TEXT, "what the run's folder is called after its number"),
    "random_seed": Key(1000, whole(0, 2**32 - 1), "for the weights, the order of pictures, and all else at random"),
    "num_gpus": Key(1, whole(1, 1024), "for the presets' sake; torchrun starts as many processes"),
}
IGNORED = ("tf_config", "env")  # TensorFlow's
OURS = {
    "device": Key("auto", TEXT, "where to compute: auto, cpu, cuda, cuda:1, mps"),
    "gpu_ids": Key(None, maybe(TEXT), "GPU number; -1 is the CPU"),
    "precision": Key(None, maybe(one_of("float32", "bf16", "auto")), "the number format"),
    "resume": Key(False, SWITCH, "go on with the newest run of this description"),
}
