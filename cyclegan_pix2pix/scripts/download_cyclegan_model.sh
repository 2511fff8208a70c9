#!/usr/bin/env bash
# Fetch a published CycleGAN generator. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=common.sh
. "$project/scripts/common.sh"

known="apple2orange orange2apple summer2winter_yosemite winter2summer_yosemite horse2zebra zebra2horse monet2photo"
known="$known style_monet style_cezanne style_ukiyoe style_vangogh sat2map map2sat cityscapes_photo2label"
known="$known cityscapes_label2photo facades_photo2label facades_label2photo iphone2dslr_flower"

print_help() {
  cat <<'HELP'
Fetch published CycleGAN generators, about 45 MB each.

  download_cyclegan_model.sh [--to FOLDER] NAME ...

HELP
  printf '%s\n' "$known" | fold -s -w 100 | sed -e 's/^/  /' -e 's/ *$//'
  cat <<'HELP'

Each becomes checkpoints/NAME_pretrained/latest_net_G.pth: in the current folder if it has a folder checkpoints or is the
project's, else in the project's folder; or in FOLDER. What is here is not fetched again, and a transfer that was cut goes
on when the same command is run again. CYCLEGAN_PIX2PIX_URL names another server.
Exit status: 0 all are here, 1 a download failed, 2 wrong usage.
HELP
}

read_words checkpoints "$known" "$@"
fetch_models cyclegan/pretrained_models --no_dropout
