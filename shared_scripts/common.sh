# What the projects' bash scripts share; to be sourced, with $project set to the project's folder.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # project is the caller's; what is set here is for the callers

complain() { printf 'error: %s\n' "$*" >&2; }

fail() { # what the user can put right
  complain "$@"
  exit 2
}

# Sets $python to an interpreter that has MODULE. Asking for that takes a moment; importing it takes seconds.
python=""
find_python() { # MODULE TITLE
  if [ -n "${PYTHON:-}" ]; then
    command -v "$PYTHON" > /dev/null 2>&1 || fail "PYTHON is '$PYTHON', and there is no such program"
    python="$PYTHON"
    return 0
  fi
  local ask="from importlib.util import find_spec; assert find_spec('$1') and find_spec('shared_scripts')"
  for python in "$project/../.venv/bin/python" "$project/../.venv/Scripts/python.exe" python3 python; do
    if "$python" -c "$ask" > /dev/null 2>&1; then return 0; fi
  done
  fail "no Python with $2 is here: run 'make setup' in the playground's folder, or set PYTHON to yours"
}

# Sets $name to the path with slashes, where it was typed with backslashes and names nothing as it stands.
name=""
with_slashes() { # PATH
  name="$1"
  if [ ! -e "$name" ]; then name="${1//\\//}"; fi
}

# Sets $folder to NAME in the current folder if there is one, else to the project's own, which may not exist yet.
folder=""
choose_folder() { # NAME
  folder="$project/$1"
  if [ -d "$1" ] || [ . -ef "$project" ]; then folder="./$1"; fi
}

# Sets $folder to the one that was typed, with slashes, and without those at its end.
typed_folder() { # FOLDER
  with_slashes "$1"
  folder="$name"
  while [ "$folder" != / ] && [ "${folder%/}" != "$folder" ]; do folder="${folder%/}"; done
}

# Prints a command that works where the user stands.
say_command() { # SCRIPT FLAGS
  local script="$1"
  if ! [ . -ef "$project" ]; then script="$(printf %q "$project/$1")"; fi
  printf 'now: python %s %s\n' "$script" "$2"
}

shared_download() { "$BASH" "$project/../shared_scripts/download.sh" "$@"; }

# Sets $python to any Python 3 that runs: Windows has a python3 that only opens its store.
find_any_python() {
  local ours="$project/../.venv"
  for python in ${PYTHON:+"$PYTHON"} "$ours/bin/python" "$ours/Scripts/python.exe" python3 python; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' > /dev/null 2>&1; then return 0; fi
  done
  fail "no Python 3 is here to unpack with: install it, or set PYTHON to where it is"
}
