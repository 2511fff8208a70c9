#!/usr/bin/env bash
# Paint a picture in a style, by their names. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$project/scripts/common.sh"

print_help() {
  cat <<'HELP'
Paint a picture in a style, by their names.

  test.sh CONTENT STYLE [OPTION ...]

  CONTENT  a name in contents/, with or without its ending, or a path to a picture
  STYLE    a name in ckpts/ or ckpts/published/, or a path to a checkpoint
  OPTION   goes to evaluate.py, for example --preserve-colors; python evaluate.py --help lists them

The result is outputs/CONTENT_STYLE.jpg. What is named is looked for in the current folder, then beside this script;
outputs/ is here, or beside the script for a picture from there. The Python used is $PYTHON, else the playground's own
.venv, else python3.

  bash test.sh chicago wave
HELP
}

help_if_asked "$@"
for word in "${1:--}" "${2:--}"; do
  case "$word" in -*) fail "expected a picture and a style: test.sh CONTENT STYLE (test.sh --help shows how)" ;; esac
done
find_content "$1"
find_style "$2"
shift 2
find_python tensorflow TensorFlow
choose_outputs
name="${content##*/}"
result="$folder/${name%.*}_$style_name.jpg"
echo "$content in the style of $style_name: $result"
exec "$python" "$project/evaluate.py" --checkpoint "$style" --in-path "$content" --out-path "$result" "$@"
