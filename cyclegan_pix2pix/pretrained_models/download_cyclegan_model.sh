#!/usr/bin/env bash
# Where this script was until 2019. See scripts/download_cyclegan_model.sh.
exec "$BASH" "$(dirname -- "${BASH_SOURCE[0]}")/../scripts/download_cyclegan_model.sh" "$@"
