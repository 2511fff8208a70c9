#!/usr/bin/env bash
# Fetch CelebA, or the networks that the authors trained on it. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=../shared_scripts/common.sh
. "$project/../shared_scripts/common.sh"

known="celeba pretrained-celeba-128x128 pretrained-celeba-256x256"
attributes="Black_Hair Blond_Hair Brown_Hair Male Young"
me="bash $(printf %q "$0")" # how this was called, for what people can copy

print_help() {
  cat <<'HELP'
Fetch CelebA, or the networks that the authors trained on it.

  download.sh [--to FOLDER] [--zip FILE] [NAME ...]

  celeba                      data/celeba/images/*.jpg and data/celeba/list_attr_celeba.txt: 1.4 GB (the default)
  pretrained-celeba-128x128   stargan_celeba_128/models/200000-G.ckpt and 200000-D.ckpt
  pretrained-celeba-256x256   stargan_celeba_256/models/200000-G.ckpt and 200000-D.ckpt

  --zip FILE    take NAME from a zip that you fetched by hand, which stays as it is: the authors' own, and for celeba
                also the official img_align_celeba.zip (with the list of attributes beside it) or Kaggle's archive.zip
  --to FOLDER   where data/ or stargan_celeba_128/ goes (default: the current folder if it has one or is the project's,
                else the project's folder)

What is here is not fetched again, nothing is replaced, and a transfer that was cut goes on when the same command is run
again. STARGAN_URL names another server, with celeba.zip, celeba-128x128-5attrs.zip and celeba-256x256-5attrs.zip.
Needs Python 3 to unpack.
Exit status: 0 all is here, 1 something could not be fetched or there is no such NAME, 2 wrong usage.
HELP
}

# Sets what there is to know of a NAME: $archive, Dropbox's $id of it, $home, the folder that --to is about, and $place,
# where in the end the files are.
archive=""
id=""
home=""
place=""
look_up() { # NAME
  case "$1" in
    celeba) archive=celeba.zip id=d1kjpkqklf0uw77 home=data ;;
    *128x128) archive=celeba-128x128-5attrs.zip id=7e966qq0nlxwte4 home=stargan_celeba_128 ;;
    *) archive=celeba-256x256-5attrs.zip id=zdq6roqf63m0v5f home=stargan_celeba_256 ;;
  esac
  case "$1" in celeba) place=data/celeba ;; *) place="$home/models" ;; esac
}

# Sets $prefix to what stands before data/ and the like: nothing where that is in the current folder.
prefix=""
choose_prefix() {
  if [ -n "$target" ]; then
    typed_folder "$target"
    prefix="${folder%/}/"
  else
    choose_folder "$home"
    prefix="${folder%"$home"}"
  fi
  prefix="${prefix#./}"
  case "$prefix" in -*) prefix="./$prefix" ;; esac
}

# ---- what is here ---------------------------------------------------------------------------------------------------

count_pictures() { # FOLDER
  find "$1/" -type f \( -iname '*.jpg' -o -iname '*.jpeg' -o -iname '*.png' \) 2> /dev/null | wc -l | tr -d ' '
}

count_rows() { # LIST, with blanks or commas between its words
  LC_ALL=C awk 'tolower($0) ~ /^[^ ,]+\.(jpg|jpeg|png)[ \t,]/ { rows += 1 } END { print rows + 0 }' "$1"
}

# Whether all pictures are here that the list names. Kaggle's list, put there by hand, is put in CelebA's form.
celeba_is_here() { # FOLDER
  local list="$1/list_attr_celeba" pictures rows
  if [ ! -f "$list.txt" ] && [ -f "$list.csv" ]; then
    find_any_python
    "$python" "$project/unpack_download.py" list "$list.csv" "$list.txt" || exit 1
  fi
  pictures="$(count_pictures "$1/images")"
  if [ "$pictures" -eq 0 ]; then return 1; fi
  if [ ! -f "$list.txt" ]; then
    printf '%s/images has %s pictures, but %s.txt, which says what they show, is missing\n' "$1" "$pictures" "$list"
    return 1
  fi
  rows="$(count_rows "$list.txt")"
  if [ "$pictures" -ge "$rows" ] && [ "$rows" -gt 0 ]; then return 0; fi
  printf '%s/images has %s pictures, and %s.txt names %s\n' "$1" "$pictures" "$list" "$rows"
  return 1
}

is_here() { # NAME FOLDER
  if [ "$1" = celeba ]; then
    celeba_is_here "$2"
  else
    [ -s "$2/200000-G.ckpt" ] && [ -s "$2/200000-D.ckpt" ]
  fi
}

# ---- what is said ---------------------------------------------------------------------------------------------------

# Sets $flags to the ones that tell main.py where CelebA is, of the places that are asked: none for the current folder,
# where it looks itself. Says how to get it where it is nowhere.
flags=""
find_celeba() { # PREFIX ...
  local root
  flags=""
  for root in "$@"; do
    if [ -d "${root}data/celeba/images" ]; then
      if [ -n "$root" ]; then
        root="$(printf %q "${root}data/celeba")"
        flags=" --celeba_image_dir $root/images --attr_path $root/list_attr_celeba.txt"
      fi
      return 0
    fi
  done
  echo "its test pictures are CelebA's: $me celeba"
}

say_how_to_go_on() { # NAME
  local common size
  if [ "$1" = celeba ]; then
    find_celeba "$prefix"
    common="--mode train --dataset CelebA --image_size 128 --c_dim 5 --selected_attrs $attributes"
    common="$common --sample_dir stargan_celeba/samples --log_dir stargan_celeba/logs"
    say_command main.py "$common --model_save_dir stargan_celeba/models --result_dir stargan_celeba/results$flags"
    return 0
  fi
  find_celeba "" "$prefix" "$project/"
  size="${1##*x}"
  common="--mode test --dataset CelebA --image_size $size --c_dim 5 --selected_attrs $attributes"
  folder="$(printf %q "$prefix$home")"
  say_command translate.py "--image YOUR_PHOTO --all --checkpoint $folder/models/200000-G.ckpt"
  say_command main.py "$common --model_save_dir $folder/models --result_dir $folder/results$flags"
}

explain_celeba() {
  cat <<HELP
How to get CelebA by hand:
1. From https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html fetch img_align_celeba.zip (Align&Cropped Images, 1.4 GB) and
   list_attr_celeba.txt (in the folder Anno); or from https://www.kaggle.com/datasets/jessicali9530/celeba-dataset
   archive.zip, whose list_attr_celeba.csv will do.
2. Leave the list beside the zip, and say: $me celeba --zip FILE
   Or unpack it yourself: the pictures into $(printf %q "${prefix}data/celeba/images/"), and the list as
   $(printf %q "${prefix}data/celeba/list_attr_celeba.txt")
HELP
}

explain_models() { # NAME
  cat <<HELP
How to get the networks by hand:
1. Open https://www.dropbox.com/s/$id/$archive?dl=0 in a browser. The link has died and come back before: try again in
   some days, or look in the issues of https://github.com/yunjey/stargan for another one.
2. Then say: $me $1 --zip FILE
   Or unpack it yourself: 200000-G.ckpt and 200000-D.ckpt into $(printf %q "$prefix$place/")
HELP
}

explain() { # NAME
  if [ "$1" = celeba ]; then explain_celeba; else explain_models "$1"; fi
}

# ---- one of them ----------------------------------------------------------------------------------------------------

unpack_into_place() { # NAME ZIP; the exit statuses are those of unpack_download.py
  local kind=models
  if [ "$1" = celeba ]; then kind=celeba; fi
  "$python" "$project/unpack_download.py" "$kind" "$2" "$prefix$place"
}

fetch_one() { # NAME
  local file address ours=yes status=0
  look_up "$1"
  choose_prefix
  if is_here "$1" "$prefix$place"; then
    printf '%s is already here\n' "$prefix$place"
    say_how_to_go_on "$1"
    return 0
  fi
  find_any_python # asked before the download, not after it
  if [ -n "$zip" ]; then
    file="$zip"
    ours=no
  else
    file="$prefix$place/$archive"
    if [ "$1" = celeba ]; then file="$prefix$home/$archive"; fi
    if [ -e "$file" ]; then ours=no; fi
    address="https://www.dropbox.com/s/$id/$archive?dl=1"
    if [ -n "${STARGAN_URL:-}" ]; then address="${STARGAN_URL%/}/$archive"; fi
    if ! shared_download --min-bytes 1000 "$file" "$address"; then
      explain "$1" >&2
      return 1
    fi
  fi
  unpack_into_place "$1" "$file" || status=$?
  case "$status" in
    0 | 3)
      # What this run fetched is needed no more; a file that was here before stays.
      if [ "$ours" = yes ]; then rm -f -- "$file"; else printf '%s is needed no more\n' "$file"; fi
      ;;
    1) if [ "$ours" = yes ]; then rm -f -- "$file"; fi ;; # or it would pass for the file the next time
    130) exit 130 ;;
  esac
  if [ "$status" -eq 0 ]; then
    say_how_to_go_on "$1"
    return 0
  fi
  if [ "$status" -eq 3 ] || [ "$ours$status" = yes1 ]; then explain "$1" >&2; fi
  return 1
}

# ---- the command line -----------------------------------------------------------------------------------------------

at_home() { # PATH: bash leaves the ~ of --zip=~/celeba.zip
  case "$1" in '~'/*) printf '%s' "$HOME/${1#??}" ;; *) printf '%s' "$1" ;; esac
}

target=""
zip=""
names=""
count=0
while [ "$#" -gt 0 ]; do
  word="$1"
  shift
  case "$word" in
    -h | --help)
      print_help
      exit 0
      ;;
    --to | --zip)
      if [ -z "${1:-}" ]; then fail "$word needs a value (download.sh --help shows how)"; fi
      if [ "$word" = --to ]; then target="$1"; else zip="$1"; fi
      shift
      ;;
    --to=?*) target="$(at_home "${word#*=}")" ;;
    --zip=?*) zip="$(at_home "${word#*=}")" ;;
    -*) fail "unknown option '$word' (download.sh --help shows how)" ;;
    *)
      name="$(printf '%s' "${word%.zip}" | LC_ALL=C tr '[:upper:]' '[:lower:]')"
      case "$name" in celeba-*-5attrs) name="pretrained-${name%-5attrs}" ;; esac
      case "$name" in
        celeba | pretrained-celeba-128x128 | pretrained-celeba-256x256) ;;
        *)
          complain "there is no '$word' to fetch: there are ${known// /, }"
          exit 1
          ;;
      esac
      names="$names $name"
      count=$((count + 1))
      ;;
  esac
done
if [ "$count" -eq 0 ]; then
  echo "no name is given: fetching celeba, as the script of 2017 did (there are ${known// /, })"
  names=celeba
fi
if [ -n "$zip" ]; then
  if [ "$count" -gt 1 ]; then fail "--zip goes with one name, not with $count"; fi
  with_slashes "$zip"
  zip="$name"
  if [ -d "$zip" ]; then fail "$zip is a folder, not a zip: move its files where download.sh --help has them"; fi
  if [ ! -f "$zip" ]; then fail "there is no file $zip"; fi
fi

# After Ctrl-C the one download ends orderly; the next is not to begin.
trap 'exit 130' INT
failed=0
for name in $names; do fetch_one "$name" || failed=1; done
exit "$failed"
