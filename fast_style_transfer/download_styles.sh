#!/usr/bin/env bash
# Fetch the styles that the author of the original published. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
. "$project/scripts/common.sh"

print_help() {
  cat <<'HELP'
Fetch the styles that the author of the original published, 20 MB each.

  download_styles.sh [--to FOLDER] [NAME ...]

  NAME         la_muse, rain_princess, scream, udnie, wave, wreck (default: all six)
  --to FOLDER  where they go (default: ckpts/published, in the current folder's ckpts/ or else beside this script)

What is here and whole is not fetched again. Then: bash test.sh CONTENT wave
Exit status: 0 all are here, 1 a download failed, 2 wrong usage.
HELP
}

all_styles="la_muse rain_princess scream udnie wave wreck"
drive_folder='https://drive.google.com/drive/folders/0B9jhaT37ydSyRk9UX0wwX3BpMzQ?resourcekey=0-Z9LcNHC-BTB4feKwm4loXw'

# Sets $id (Google Drive's) and $sum (SHA-256).
id=""
sum=""
look_up() { # NAME
  case "$1" in
    la_muse)
      id=0B9jhaT37ydSyQU1sYW02Sm9kV3c
      sum=987cd8974599aa9063e6571f18403824d91de8af5d980286ccf2f72e21d3c2a7
      ;;
    rain_princess)
      id=0B9jhaT37ydSyaEJlSFlIeUxweGs
      sum=c37921008b4410573a2974771c44e3555bb331a778281122499874b84dd9a9b0
      ;;
    scream)
      id=0B9jhaT37ydSyZ0RyTGU0Q2xiU28
      sum=d93428ac5a65750948f2b7cc095b87e2f17cbde8068acaaf361271da3c83df0e
      ;;
    udnie)
      id=0B9jhaT37ydSyb0NuYmk2ZEpOR0E
      sum=fa21715cd8a8b0ea252eae36e9d4a27f83b0dca7c99126e3de9bed58aaf3c694
      ;;
    wave)
      id=0B9jhaT37ydSyVGk0TC10bDF1S28
      sum=0c3184da55a1d901598dd4ee28f524584a6b8795192ed11800e15251da66a99a
      ;;
    wreck)
      id=0B9jhaT37ydSySjNrM3J5N2gweVk
      sum=ddd6e396c01d5d20c5b972d2066a8384b2bac0ea9d61a560bedc50398e977b0b
      ;;
    *) fail "there is no published style '$1': they are ${all_styles// /, }" ;;
  esac
}

target=""
wanted=""
while [ "$#" -gt 0 ]; do
  case "$1" in
    -h | --help)
      print_help
      exit 0
      ;;
    --to)
      target="${2:-}"
      if [ -z "$target" ]; then fail "--to needs a folder"; fi
      shift
      ;;
    --to=?*) target="${1#*=}" ;;
    -*) fail "unknown option '$1' (download_styles.sh --help shows how)" ;;
    *)
      # All names are looked at before the first download. They hold no blanks then, so a string can list them.
      look_up "${1%.ckpt}"
      wanted="$wanted ${1%.ckpt}"
      ;;
  esac
  shift
done
if [ -n "$target" ]; then
  typed_folder "$target"
  target="$folder"
else
  choose_folder ckpts
  target="${folder#./}/published"
fi

# After Ctrl-C the one download ends orderly; the next is not to begin.
trap 'exit 130' INT
failed=0
for style in ${wanted:-$all_styles}; do
  look_up "$style"
  # A quota or login page instead of the file does not pass for it: the checksum decides.
  shared_download --sha256 "$sum" "$target/$style.ckpt" \
    "https://drive.google.com/uc?export=download&id=$id" \
    "https://drive.usercontent.google.com/download?id=$id&export=download&confirm=t" || failed=$((failed + 1))
done
if [ "$failed" -gt 0 ]; then
  complain "$failed of the styles could not be fetched; get them with a browser from $drive_folder" \
    "and put them in $target/"
  exit 1
fi
