"""Where a run computes and in which number format: `--gpu_ids`, `--device`, `--precision`."""

from __future__ import annotations

import argparse

import torch

from shared_scripts.cli import UserError
from shared_scripts.devices import describe, pick_device, pick_precision, seed_everything
from shared_scripts.distributed import Processes
from shared_scripts.memory import keep_memory
from shared_scripts.progress import tell


def set_up(opt: argparse.Namespace, processes: Processes) -> None:
    """Give the options `torch_device`, `dtype`, `memory_format` and `gpu_list`, and say what was chosen.

    An old command line's --gpu_ids 0 on a machine without an NVIDIA GPU is no error: the run takes what there is.
    """
    keep_memory()
    seed_everything(opt.seed)
    opt.gpu_list = gpu_numbers(opt.gpu_ids)
    if processes.world > 1:
        opt.gpu_list = []  # one GPU a process
        opt.torch_device = processes.device(opt.device, opt.gpu_ids)
    elif opt.gpu_list and opt.gpu_list[0] >= 0 and not torch.cuda.is_available():
        opt.gpu_list, opt.torch_device = [], pick_device(opt.device)
        tell(f"No NVIDIA GPU is here for --gpu_ids {opt.gpu_ids}: computing on the {opt.torch_device.type} instead.")
    else:
        opt.torch_device = pick_device(opt.device, None if opt.gpu_ids is None else str((opt.gpu_list or [-1])[0]))
    for number in opt.gpu_list[1:]:
        pick_device(gpu_ids=str(number))  # complains where it is not there
    opt.dtype = pick_precision(opt.precision, opt.torch_device, channels=4 * opt.ngf, size=max(8, opt.crop_size // 4))
    opt.memory_format = torch.channels_last  # what the convolutions are fastest with (see benchmarks/)
    if opt.norm == "syncbatch" and opt.torch_device.type != "cuda":
        opt.norm = "batch"  # the same but for where the statistics come from; files fit both
        if processes.first:
            tell("--norm syncbatch works on GPUs only: each process takes its own batches' statistics (--norm batch).")
    if opt.torch_device.type == "cuda":
        torch.backends.cudnn.benchmark = opt.seed is None and opt.preprocess != "scale_width"
    if processes.first:
        tell(f"Computing on {describe(opt.torch_device, opt.dtype)}.")


def gpu_numbers(text: str | None) -> list[int]:
    """`0,1` as numbers; -1, or nothing, is none. UserError for anything else."""
    try:
        numbers = [int(word) for word in (text or "").split(",") if word.strip()]
    except ValueError:
        raise UserError(f"--gpu_ids takes numbers such as 0 or 0,1, or -1 for the CPU, not {text!r}") from None
    return [number for number in numbers if number >= 0]
