#!/usr/bin/env bash
# Train pix2pix: facades from their labels. More words go to it and win: bash scripts/train_pix2pix.sh --name mine
set -euo pipefail
project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=common.sh
. "$project/scripts/common.sh"
on_dataset train.py facades --name facades_pix2pix --model pix2pix --netG unet_256 --direction BtoA --lambda_L1 100 \
  --dataset_mode aligned --norm batch --pool_size 0 "$@"
