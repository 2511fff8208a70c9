#!/usr/bin/env bash
# Make facades from labels that have no photographs, with what train_pix2pix.sh trained. More words go to it and win: bash scripts/test_single.sh --name mine
set -euo pipefail
project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=common.sh
. "$project/scripts/common.sh"
on_dataset test.py facades/testB/ --name facades_pix2pix --model test --netG unet_256 --direction BtoA \
  --dataset_mode single --norm batch "$@"
