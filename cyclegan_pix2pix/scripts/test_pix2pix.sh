#!/usr/bin/env bash
# Try what train_pix2pix.sh trained. More words go to it and win: bash scripts/test_pix2pix.sh --name mine
set -euo pipefail
project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=common.sh
. "$project/scripts/common.sh"
on_dataset test.py facades --name facades_pix2pix --model pix2pix --netG unet_256 --direction BtoA \
  --dataset_mode aligned --norm batch "$@"
