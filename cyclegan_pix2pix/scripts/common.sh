# What the scripts share; to be sourced, with $project set to the project's folder.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # project is the caller's; what is set here is for the callers

# shellcheck source=../../shared_scripts/common.sh
. "$project/../shared_scripts/common.sh"

# Where the authors publish, as folders under one address. CYCLEGAN_PIX2PIX_URL names another one, with the same folders.
# No checksums are published: https vouches for the files. Where it fails the original's own http address is tried.
publishers="https://efrosgans.eecs.berkeley.edu http://efrosgans.eecs.berkeley.edu"

# Sets $target (of --to, or the folder HOME_NAME) and $names (all known ones, so that they can be listed in a string).
target=""
names=""
read_words() { # HOME_NAME "KNOWN ..." WORD ...
  local home_name="$1" known="$2" script="${0##*/}" word ending
  shift 2
  while [ "$#" -gt 0 ]; do
    word="$1"
    shift
    case "$word" in
      -h | --help)
        print_help
        exit 0
        ;;
      --names) # for programs
        printf '%s\n' "$known"
        exit 0
        ;;
      --to)
        target="${1:-}"
        if [ -z "$target" ]; then fail "--to needs a folder"; fi
        shift
        ;;
      --to=?*) target="${word#*=}" ;;
      -*) fail "unknown option '$word' ($script --help shows how)" ;;
      *)
        # People copy names from what they see: maps.zip, horse2zebra_pretrained, datasets\maps
        word="${word//\\//}"
        word="${word%/}"
        word="${word##*/}"
        for ending in .zip .tar.gz .pth _pretrained; do word="${word%"$ending"}"; done
        case "$word" in *' '*) ;; *) case " $known " in *" $word "*) names="$names $word" && continue ;; esac ;; esac
        fail "there is no '$word' to fetch: there are ${known// /, }"
        ;;
    esac
  done
  if [ -z "$names" ]; then
    print_help >&2
    exit 2
  fi
  if [ -n "$target" ]; then typed_folder "$target"; else choose_folder "$home_name"; fi
  target="$folder"
}

# Sets $addresses, one word each, to where PATH can be fetched; MIRROR is where it once was.
addresses=""
find_addresses() { # PATH [MIRROR]
  local publisher
  if [ -n "${CYCLEGAN_PIX2PIX_URL:-}" ]; then
    addresses="${CYCLEGAN_PIX2PIX_URL%/}/$1"
    return 0
  fi
  addresses=""
  for publisher in $publishers; do addresses="$addresses $publisher/$1"; done
  addresses="$addresses ${2:-}"
}

# ---- models ---------------------------------------------------------------------------------------------------------

# Fetches all $names from PATH/NAME.pth to $target/NAME_pretrained/latest_net_G.pth, and says how to use them.
fetch_models() { # PATH FLAGS
  local name failed=0 file elsewhere=""
  # After Ctrl-C the one download ends orderly; the next is not to begin.
  trap 'exit 130' INT
  if [ "$target" != ./checkpoints ]; then elsewhere=" --checkpoints_dir $(printf %q "$target")"; fi
  for name in $names; do
    file="$target/${name}_pretrained/latest_net_G.pth"
    find_addresses "$1/$name.pth"
    # shellcheck disable=SC2086  # addresses are words
    if shared_download --min-bytes 1000000 "$file" $addresses; then
      say_command test.py "--dataroot FOLDER_WITH_PICTURES --name ${name}_pretrained --model test $2$elsewhere"
    else
      failed=$((failed + 1))
    fi
  done
  if [ "$failed" -gt 0 ]; then exit 1; fi
}


# ---- data sets ------------------------------------------------------------------------------------------------------

has_files() { # FOLDER
  local path
  for path in "$1"/*; do if [ -e "$path" ]; then return 0; fi; done
  return 1
}

# Whether $target/NAME is there: unpacked by us, or as the original's script leaves it, with something in one of PARTS.
# cyclegan's maps and pix2pix's maps share a folder; their parts tell them apart.
is_here() { # NAME ARCHIVE PARTS
  local part
  if [ -f "$target/.$2.unpacked" ]; then
    if [ -d "$target/$1" ]; then return 0; fi
    rm -f -- "$target/.$2.unpacked" # the data set was deleted: the mark must not keep it from coming again
  fi
  for part in $3; do if has_files "$target/$1/$part"; then return 0; fi; done
  return 1
}

# Fetches PATH/NAME.ENDING, an archive with a folder NAME in it, and unpacks it into $target.
fetch_dataset() { # NAME ENDING PATH MIRROR PARTS
  local archive="$1.$2" ours=yes
  if is_here "$1" "$archive" "$5"; then
    printf '%s/%s is already here\n' "$target" "$1"
    return 0
  fi
  if [ -e "$target/$archive" ]; then ours=no; fi
  find_addresses "$3/$archive" "$4/$archive"
  # shellcheck disable=SC2086  # addresses are words
  shared_download --min-bytes 1000 --unpack "$target" "$target/$archive" $addresses || return 1
  if [ ! -d "$target/$1" ]; then
    complain "$target/$archive is unpacked, but holds no folder $1: look into $target for what it holds"
    return 1
  fi
  # What this run fetched is needed no more and can be gigabytes; a file that was here before stays.
  if [ "$ours" = yes ]; then rm -f -- "$target/$archive"; fi
}

explain_cityscapes() {
  cat <<HELP
Cityscapes may not be passed on: its licence has every user fetch it from https://www.cityscapes-dataset.com
1. Register there, and download gtFine_trainvaltest.zip (241 MB) and leftImg8bit_trainvaltest.zip (11 GB).
2. Unpack both here, which makes the folders gtFine and leftImg8bit.
3. Make pairs of 256 x 256 pixels of them:
   python $(printf %q "$project")/datasets/prepare_cityscapes_dataset.py --gtFine_dir ./gtFine/ \\
     --leftImg8bit_dir ./leftImg8bit/ --output_dir $(printf %q "$target")/cityscapes/
HELP
}

# Fetches all $names by the caller's fetch_one, and says with its say_how_to_train what to do with them.
fetch_datasets() {
  local name failed=0
  # After Ctrl-C the one download ends orderly; the next is not to begin.
  trap 'exit 130' INT
  for name in $names; do
    if [ "$name" = cityscapes ]; then
      explain_cityscapes
    elif fetch_one "$name"; then
      say_how_to_train "$name"
    else
      failed=$((failed + 1))
    fi
  done
  if [ "$failed" -gt 0 ]; then exit 1; fi
}

# ---- running the project's Python scripts ---------------------------------------------------------------------------

# Runs a script of the project on datasets/DATA, here or in the project; words given later win.
on_dataset() { # SCRIPT DATA WORD ...
  local script="$1" data="$2"
  shift 2
  find_python torch PyTorch
  choose_folder datasets
  exec "$python" "$project/$script" --dataroot "$folder/$data" "$@"
}
