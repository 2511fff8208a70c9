#!/usr/bin/env bash
# Paint a picture in every style there is. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$project/scripts/common.sh"

print_help() {
  cat <<'HELP'
Paint a picture in every style there is.

  test2.sh [CONTENT] [OPTION ...]

  CONTENT  a name in contents/, with or without its ending, or a path to a picture (default: the first in contents/)
  OPTION   goes to evaluate.py, for example --preserve-colors; python evaluate.py --help lists them

The styles are those in ckpts/ and ckpts/published/, the results outputs/CONTENT_STYLE. All are looked for in the
current folder and beside this script; outputs/ is here, or beside the script for a picture from there. The Python
used is $PYTHON, else the playground's own .venv, else python3.

  bash test2.sh chicago
HELP
}

help_if_asked "$@"
case "${1:-}" in
  '' | -*)
    content="$(pictures | sed -n 1p)"
    if [ -z "$content" ]; then fail "there are no pictures in contents/: put one there, or give a path to one"; fi
    ;;
  *)
    find_content "$1"
    shift
    ;;
esac

# One call for all styles: TensorFlow takes seconds to start, a picture less.
extra=("$@")
set --
while IFS= read -r each; do
  if [ -z "$each" ]; then fail "there are no styles in ckpts/: train one, or fetch some: bash download_styles.sh"; fi
  find_style "$each"
  set -- "$@" "$style"
done <<NAMES
$(style_names)
NAMES

find_python tensorflow TensorFlow
choose_outputs
stem="${content##*/}"
result="$folder"
# With several styles evaluate.py names the results itself, as CONTENT_STYLE; with one it would keep the picture's name.
if [ "$#" -eq 1 ]; then result="$folder/${stem%.*}_$style_name.${stem##*.}"; fi
echo "$content in $# styles: $folder"
exec "$python" "$project/evaluate.py" --checkpoint "$@" --in-path "$content" --out-path "$result" \
  ${extra[@]+"${extra[@]}"}
