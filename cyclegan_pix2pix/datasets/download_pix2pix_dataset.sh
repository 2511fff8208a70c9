#!/usr/bin/env bash
# Fetch one of the data sets of the pix2pix paper. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=../scripts/common.sh
. "$project/scripts/common.sh"

known="night2day edges2handbags edges2shoes facades maps cityscapes"

print_help() {
  cat <<'HELP'
Fetch data sets of the pix2pix paper: pairs of pictures side by side.

  download_pix2pix_dataset.sh [--to FOLDER] NAME ...

HELP
  printf '%s\n' "$known" | fold -s -w 100 | sed -e 's/^/  /' -e 's/ *$//'
  cat <<'HELP'

Each becomes datasets/NAME/{train,val,test}: in the current folder if it has a folder datasets or is the project's, else
in the project's folder; or in FOLDER. cityscapes may not be passed on: how to get it is printed.
What is here is not fetched again, and a transfer that was cut goes on when the same command is run again.
CYCLEGAN_PIX2PIX_URL names another server. Needs Python 3 to unpack.
Exit status: 0 all are here, 1 a download failed, 2 wrong usage.
HELP
}

say_how_to_train() { # NAME
  local direction=AtoB
  # Its photographs lie left, the labels to make them from right.
  if [ "$1" = facades ]; then direction=BtoA; fi
  say_command train.py "--dataroot $(printf %q "$target/$1") --name ${1}_pix2pix --model pix2pix --direction $direction"
}

fetch_one() { # NAME
  fetch_dataset "$1" tar.gz pix2pix/datasets https://people.eecs.berkeley.edu/~tinghuiz/projects/pix2pix/datasets \
    "train val test"
}

read_words datasets "$known" "$@"
fetch_datasets
