#!/usr/bin/env bash
# Run a command on the GPU with the most free memory, or on the CPU where there is no GPU. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

print_help() {
  cat <<'HELP'
Run a command on the GPU with the most free memory, or on the CPU where there is none.

  select_gpu.sh [--gpu auto|none|0,1] [--] COMMAND [ARGUMENT ...]

  --gpu auto   (default) the NVIDIA GPU with the most free memory; the CPU where there is none;
               a CUDA_VISIBLE_DEVICES that is set already is left as it is
  --gpu none   the CPU
  --gpu 0,1    these GPUs, numbered as nvidia-smi numbers them

The variable GPU does the same as --gpu, which goes first. Without a COMMAND the choice is printed, for scripts:
  CUDA_VISIBLE_DEVICES="$(select_gpu.sh)" python train.py
Exit status: that of COMMAND; 2 wrong usage, or a GPU that is not there; 127 no such command.
HELP
}

usage_error() {
  printf 'error: %s (select_gpu.sh --help shows how)\n' "$*" >&2
  exit 2
}

# What hides every GPU. Not the empty string: on Windows setting a variable to nothing removes it, and then all GPUs are
# to be seen; -1 is no GPU's number, and CUDA stops reading at the first number it does not know.
no_gpu=-1

# Prints a line `index free-memory` for every GPU; nothing where there is no GPU, no driver, or no nvidia-smi.
gpus() {
  local answer
  # A broken driver makes nvidia-smi print its complaint on stdout: only its exit status tells.
  answer="$(nvidia-smi --query-gpu=index,memory.free --format=csv,noheader,nounits 2> /dev/null)" || return 0
  # Memory that is shared with the processor is given as [N/A]: such a GPU can be chosen, after the others.
  printf '%s\n' "$answer" | tr -d '\r' | awk -F ', *' '
    $1 ~ /^[0-9]+$/ { print $1, ($2 ~ /^[0-9]+$/ ? $2 : 0) }'
}

choice="${GPU:-auto}"
origin="GPU=$choice"
while [ "$#" -gt 0 ]; do
  case "$1" in
    -h | --help)
      print_help
      exit 0
      ;;
    --gpu)
      if [ "$#" -lt 2 ]; then usage_error "--gpu needs a value: auto, none, or numbers like 0,1"; fi
      choice="$2"
      origin="--gpu $2"
      shift 2
      ;;
    --gpu=*)
      choice="${1#*=}"
      origin="$1"
      shift
      ;;
    --)
      shift
      break
      ;;
    -*) usage_error "unknown option '$1'" ;;
    *) break ;;
  esac
done

# In a variable, because bash 3.2 and its successors disagree about quotes in a pattern.
numbers='^[0-9]+(,[0-9]+)*$'
order=""
case "$choice" in
  auto)
    if [ -n "${CUDA_VISIBLE_DEVICES+set}" ]; then
      devices="$CUDA_VISIBLE_DEVICES"
      why="CUDA_VISIBLE_DEVICES is set already and stays '$devices'"
    else
      # The most free memory first; of equals the lowest number.
      best="$(gpus | sort -k 2,2nr -k 1,1n | awk 'NR == 1')"
      if [ -n "$best" ]; then
        devices="${best%% *}"
        order=PCI_BUS_ID
        why="GPU $devices, which has the most free memory (${best#* } MiB)"
      else
        devices="$no_gpu"
        why="the CPU, as nvidia-smi shows no GPU here"
      fi
    fi
    ;;
  none)
    devices="$no_gpu"
    why="the CPU, as $origin asks"
    ;;
  *)
    if ! [[ "$choice" =~ $numbers ]]; then
      usage_error "$origin: expected auto, none, or GPU numbers with commas like 0,1"
    fi
    present="$(gpus | awk '{ printf "%s%s", sep, $1; sep = " " }')"
    if [ -z "$present" ]; then
      usage_error "$origin: nvidia-smi shows no GPU here; check the driver, or use none for the CPU"
    fi
    seen=" "
    for index in ${choice//,/ }; do
      case " $present " in
        *" $index "*) ;;
        *) usage_error "$origin: there is no GPU $index here; nvidia-smi lists: $present" ;;
      esac
      # CUDA takes a number that comes twice for a mistake and then shows no GPU at all.
      case "$seen" in *" $index "*) usage_error "$origin: GPU $index is named twice" ;; esac
      seen="$seen$index "
    done
    devices="$choice"
    order=PCI_BUS_ID
    why="GPU $devices, as $origin asks"
    ;;
esac

printf 'select_gpu: %s\n' "$why" >&2
if [ "$#" -eq 0 ]; then
  printf '%s\n' "$devices"
  exit 0
fi

# -P: exec starts programs only, not the shell's own commands.
if [ -z "$(type -P -- "$1")" ]; then
  printf 'error: no such command: %s (is it installed, and its environment active?)\n' "$1" >&2
  exit 127
fi
# nvidia-smi numbers GPUs by their place on the bus, CUDA by default puts the fastest first: they must mean the same.
if [ -n "$order" ]; then export CUDA_DEVICE_ORDER="$order"; fi
export CUDA_VISIBLE_DEVICES="$devices"
# exec, so that signals and the exit status are the command's own.
exec "$@"
