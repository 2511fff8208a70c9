#!/usr/bin/env bash
# Try what train_colorization.sh trained. More words go to it and win: bash scripts/test_colorization.sh --name mine
set -euo pipefail
project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=common.sh
. "$project/scripts/common.sh"
on_dataset test.py colorization --name color_pix2pix --model colorization "$@"
