#!/usr/bin/env bash
# Install what cyclegan_pix2pix needs into the active conda environment: Python from conda, the rest with its pip.
set -euo pipefail
conda install --yes "python>=3.10,<3.14" pip
PYTHON=python exec "$BASH" "$(dirname -- "${BASH_SOURCE[0]}")/install_deps.sh" "$@"
