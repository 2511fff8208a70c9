#!/usr/bin/env bash
# Install what cyclegan_pix2pix needs, with pip. PYTHON names the interpreter (default: python). More words go to pip.
set -euo pipefail
root="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)"
"${PYTHON:-python}" -m pip install --constraint "$root/constraints.txt" --editable "${root}[cyclegan-pix2pix]" "$@"
