#!/usr/bin/env bash
# Fetch one of the data sets of the CycleGAN paper. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=../scripts/common.sh
. "$project/scripts/common.sh"

known="ae_photos apple2orange summer2winter_yosemite horse2zebra monet2photo cezanne2photo ukiyoe2photo vangogh2photo"
known="$known maps facades iphone2dslr_flower mini mini_pix2pix mini_colorization cityscapes"

print_help() {
  cat <<'HELP'
Fetch data sets of the CycleGAN paper: two heaps of pictures each.

  download_cyclegan_dataset.sh [--to FOLDER] NAME ...

HELP
  printf '%s\n' "$known" | fold -s -w 100 | sed -e 's/^/  /' -e 's/ *$//'
  cat <<'HELP'

Each becomes datasets/NAME/{trainA,trainB,testA,testB}: in the current folder if it has a folder datasets or is the
project's, else in the project's folder; or in FOLDER. cityscapes may not be passed on: how to get it is printed.
What is here is not fetched again, and a transfer that was cut goes on when the same command is run again.
CYCLEGAN_PIX2PIX_URL names another server. Needs Python 3 to unpack.
Exit status: 0 all are here, 1 a download failed, 2 wrong usage.
HELP
}

say_how_to_train() { # NAME
  local root
  root="$(printf %q "$target/$1")"
  case "$1" in
    ae_photos) say_command test.py "--dataroot $root --name style_vangogh_pretrained --model test --no_dropout" ;;
    mini_pix2pix) say_command train.py "--dataroot $root --name $1 --model pix2pix" ;;
    mini_colorization) say_command train.py "--dataroot $root --name $1 --model colorization" ;;
    *) say_command train.py "--dataroot $root --name ${1}_cyclegan --model cycle_gan" ;;
  esac
}

fetch_one() { # NAME
  fetch_dataset "$1" zip cyclegan/datasets https://people.eecs.berkeley.edu/~taesung_park/CycleGAN/datasets "trainA testA"
}

read_words datasets "$known" "$@"
fetch_datasets
