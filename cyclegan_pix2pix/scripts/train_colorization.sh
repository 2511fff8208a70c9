#!/usr/bin/env bash
# Train a model that colours grey photographs. More words go to it and win: bash scripts/train_colorization.sh --name mine
set -euo pipefail
project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=common.sh
. "$project/scripts/common.sh"
on_dataset train.py colorization --name color_pix2pix --model colorization "$@"
