#!/usr/bin/env bash
# Fetch a published pix2pix generator. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=common.sh
. "$project/scripts/common.sh"

known="edges2shoes sat2map map2sat facades_label2photo day2night"

print_help() {
  cat <<'HELP'
Fetch published pix2pix generators, about 220 MB each.

  download_pix2pix_model.sh [--to FOLDER] NAME ...

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
fetch_models pix2pix/models-pytorch "--netG unet_256 --norm batch"
