#!/usr/bin/env bash
# Fetch the VGG-19 network that perceptual losses look through. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

here="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"

print_help() {
  cat <<'HELP'
Fetch the VGG-19 network.

  download_vgg19.sh [--torchvision] [FOLDER]

FOLDER is where it goes (default: here).

  (default)      imagenet-vgg-verydeep-19.mat, 535 MB, from vlfeat.org: the file of the original programs
  --torchvision  vgg19-dcbb9e9d.pth, 575 MB, from pytorch.org: neural_style reads it too, for when vlfeat.org is down

A transfer that was cut goes on when the same command is run again.
Exit status: 0 it is here, 1 the download failed, 2 wrong usage.
HELP
}

torchvision=no
folder=""
while [ "$#" -gt 0 ]; do
  case "$1" in
    -h | --help)
      print_help
      exit 0
      ;;
    --torchvision) torchvision=yes ;;
    -*)
      echo "error: unknown option '$1' (download_vgg19.sh --help shows how)" >&2
      exit 2
      ;;
    *)
      if [ -n "$folder" ]; then
        echo "error: one FOLDER at most, found '$folder' and '$1'; put a name with blanks in quotes" >&2
        exit 2
      fi
      folder="$1"
      ;;
  esac
  shift
done
folder="${folder:-.}"

# "$BASH" in front, so that it also works where the files lost their x bit (a zip, a Windows disk).
if [ "$torchvision" = yes ]; then
  echo "VGG-19 from torchvision: 575 MB"
  # PyTorch names its files by the first digits of their SHA-256.
  exec "$BASH" "$here/download.sh" --sha256-prefix dcbb9e9d \
    "${folder%/}/vgg19-dcbb9e9d.pth" https://download.pytorch.org/models/vgg19-dcbb9e9d.pth
fi

echo "VGG-19 from vlfeat.org: 535 MB (534,904,783 bytes)"
# Two variants of the file are in use, and both projects read both: today's, and the older beta16, of which only the
# MD5 is known.
exec "$BASH" "$here/download.sh" \
  --sha256 abdb57167f82a2a1fbab1e1c16ad9373411883f262a1a37ee5db2e6fb0044695 \
  --md5 106118b7cf60435e6d8e04f6a6dc3657 \
  --md5 8ee3263992981a1d26e73b3ca028a123 \
  "${folder%/}/imagenet-vgg-verydeep-19.mat" \
  https://www.vlfeat.org/matconvnet/models/imagenet-vgg-verydeep-19.mat \
  https://www.vlfeat.org/matconvnet/models/beta16/imagenet-vgg-verydeep-19.mat
