#!/usr/bin/env bash
# Try what train_cyclegan.sh trained. More words go to it and win: bash scripts/test_cyclegan.sh --name mine
set -euo pipefail
project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=common.sh
. "$project/scripts/common.sh"
on_dataset test.py maps --name maps_cyclegan --model cycle_gan --phase test --no_dropout "$@"
