#!/usr/bin/env bash
# Train CycleGAN: aerial photographs and maps. More words go to it and win: bash scripts/train_cyclegan.sh --name mine
set -euo pipefail
project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=common.sh
. "$project/scripts/common.sh"
on_dataset train.py maps --name maps_cyclegan --model cycle_gan --pool_size 50 --no_dropout "$@"
