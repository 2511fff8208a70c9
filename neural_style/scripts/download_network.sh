#!/usr/bin/env bash
# Fetch the VGG-19 network that neural_style.py reads: download_network.sh [--torchvision] [FOLDER]. See --help.
set -euo pipefail

here="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"

# "$BASH" in front, so that it also works where the files lost their x bit (a zip, a Windows disk).
status=0
"$BASH" "$here/../../shared_scripts/download_vgg19.sh" "$@" || status=$?
case "$status: $* " in
  1:*' --torchvision '*) ;;
  1:*) echo "if vlfeat.org is down: the same command with --torchvision fetches VGG-19 from pytorch.org instead" >&2 ;;
esac
exit "$status"
