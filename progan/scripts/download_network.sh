#!/usr/bin/env bash
# Fetch a generator that the authors of the paper published. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)"
# shellcheck source=../../shared_scripts/common.sh
. "$project/../shared_scripts/common.sh"

me="bash $(printf %q "$0")" # how this was called, for what people can copy
drive="https://drive.google.com/drive/folders/15hvzxt_XxuokSmj0uO4xxMTMWVc0cIMU"

# The names, and the files' identifiers in the authors' Google Drive folder networks/tensorflow-version.
# No checksums are published: what comes is read and looked at instead.
known="
celebahq            188K19ucknC6wg1R6jbuPEhTq9zoufOx4
lsun-airplane       18IA551HK_tuLETVm0E2RHnffCTu9UvD_
lsun-bedroom        1xbb2xakSn22lZoUcdaydQaBHoBSiUt6T
lsun-bicycle        1xcMa9Tl6DXgnJD3CBnyBKd6Q4s_7w3kW
lsun-bird           1xce6ct41eKxTjyASRsKY8erSikFpVWG5
lsun-boat           1xco7Evj7XvCpUbZ6JA1d2yHYVpfu-Xei
lsun-bottle         1xeY_hVd7Z6_iw6-sJgz0bPIdxWBNSNYa
lsun-bridge         1xf1SVhs52o93o_JhnPE2h6mZAM6YkI7t
lsun-bus            1xkXOZa4RBdFvBsb-Ozn3iXEPER8d7W1B
lsun-car            1xl6igEIL0N_wSLAocD6lyvTCsHkpRY88
lsun-cat            1xuFIDNAO_A_fVU0jFcgQd_C9A4Fn8GnT
lsun-chair          1xxQnxpe5cr6RKtmfewtMR8R8O1KG_aFQ
lsun-churchoutdoor  1yGlooC5u4KuiOMzuJiA1W-MW4WB-wqnf
lsun-classroom      1yJHhYysvxE4gVfYB56XVT_M4uea9DjpU
lsun-conferenceroom 1yLZ2YJ1ajh-amUJMpOmFHL9P3810xdqk
lsun-cow            1yMxQG3XNoQUBjTWqHvwJx7g2NyiFLNoH
lsun-diningroom     1yQRvnMsiMI5mksNkxtdnjJfZyY0W93i-
lsun-diningtable    1yPiqOi7xSiZTTctut4R2bP4ND4jqGMB8
lsun-dog            1yYmw3rAOIfOCZA0j8JvqYPEpe_NzM76A
lsun-horse          1yaqsBv7e10svlLR_CuRyz7KB0TOjMWoq
lsun-kitchen        1ycfRWFtiTl7EzELDQ9IArDnMAxBaGXcj
lsun-livingroom     1yhg7u-OqU8fYQ1A2GaMFwHg_bwKwmszF
lsun-motorbike      1yj1FR6Oec-lCBLlNanVdXtG3VUNOYJXr
lsun-person         1ykf1q2wyOJufKUNGtgg2-jgcPvFA3NQd
lsun-pottedplant    1yo3Rtx_CJr83ZUxubw2uA_QnGmaBOofn
lsun-restaurant     1yobti3l5kyeZxT-XJOAwnwRY7K_cdroY
lsun-sheep          1ysqX37xILHiVA0pscTwcg4FOabLfWQ5A
lsun-sofa           1z4WTIl7TAHoLSUoapU4uxuHnouFWpAXZ
lsun-tower          1z8gUcWvUxtAjKhCzr88BO62NFBLYQ32G
lsun-train          1zFmU835RjHGcelWkkc_0caIoxWJ4vpXQ
lsun-tvmonitor      1zHXSmE7320wzmxvBkwWZ_iHk8ArODhnn
"
all_names="$(printf '%s' "$known" | awk 'NF { printf "%s%s", separator, $1; separator = " " }')"

print_help() {
  cat <<'HELP'
Fetch generators that the authors of the paper published, from their Google Drive folder: faces of 1024 x 1024 (celebahq),
and 30 kinds of things and places of 256 x 256 (lsun-…). About 280 MB each.

  download_network.sh [--to FOLDER] NAME ...

HELP
  printf '%s\n' "$all_names" | fold -s -w 100 | sed -e 's/^/  /' -e 's/ *$//'
  cat <<'HELP'

Each becomes karras2018iclr-celebahq-1024x1024.pkl, karras2018iclr-lsun-airplane-256x256.pkl and so on, in the project's
folder, or in FOLDER. What is here is not fetched again but looked at, also what you fetched with a browser and put there;
a transfer that was cut goes on when the same command is run again. PROGAN_URL names another server, with these files.
Nothing in the files is run. They may be used for non-commercial purposes only (CC BY-NC 4.0).
Exit status: 0 all are here, 1 one could not be fetched or is damaged, 2 wrong usage.
HELP
}

# Sets $name to the one in the list that a WORD means, and $file to its file's name. Fails where there is none.
name=""
file=""
find_name() { # WORD, such as lsun-cat, lsun-cat-256x256, cat, celebahq-1024, karras2018iclr-celebahq-1024x1024.pkl
  local word size=256
  word="$(printf '%s' "$1" | LC_ALL=C tr '[:upper:]' '[:lower:]')"
  word="${word%.pkl}"
  word="${word#karras2018iclr-}"
  case "$word" in
    celebahq | celebahq-*) size=1024 ;;
    lsun-*) ;;
    *) word="lsun-$word" ;;
  esac
  word="${word%"-${size}x$size"}"
  word="${word%"-$size"}"
  case "$word" in *[!a-z-]*) return 1 ;; esac
  case " $all_names " in *" $word "*) ;; *) return 1 ;; esac
  name="$word"
  file="karras2018iclr-$name-${size}x$size.pkl"
}

# Sets $problem: empty where FILE holds an averaged generator of SIDE x SIDE.
problem=""
look_at() { # FILE SIDE
  local text
  problem=""
  if ! text="$("$python" "$project/legacy.py" show "$1" 2>&1)"; then
    problem="$(printf '%s\n' "$text" | tail -n 1)"
    problem="${problem#error: }"
  else
    case "$text" in
      *"Gs: averaged generator "*", $2 x $2, 3 channels"*) ;;
      *) problem="$1 holds no averaged generator of $2 x $2 in colour" ;;
    esac
  fi
}

explain() {
  cat >&2 <<HELP
How to get it by hand: open $drive
in a browser, fetch $file, put it into $folder as it is, and run the same command again to look at it.
HELP
}

fetch_one() {
  local path="$folder/$file" side="${file##*x}" ours=yes id address
  side="${side%.pkl}"
  path="${path#./}"
  case "$path" in -*) path="./$path" ;; esac
  if [ -e "$path" ]; then ours=no; fi
  id="$(printf '%s' "$known" | awk -v name="$name" '$1 == name { print $2 }')"
  # Google asks first whether one wants so large a file although it was not searched for viruses: confirm=t says yes
  address="https://drive.usercontent.google.com/download?id=$id&export=download&confirm=t"
  if [ -n "${PROGAN_URL:-}" ]; then address="${PROGAN_URL%/}/$file"; fi
  if ! shared_download --min-bytes 10000 "$path" "$address"; then
    explain
    return 1
  fi
  look_at "$path" "$side"
  if [ -n "$problem" ]; then
    if [ "$ours" = yes ]; then
      rm -f -- "$path" # or it would pass for the network the next time
      complain "what was fetched from $address is not the network: $problem"
      explain
    else
      complain "$problem: move it away, and run the same command again"
    fi
    return 1
  fi
  if [ "$name" = celebahq ]; then
    say_command generate.py "--network $(printf %q "$path") --example"
  else
    say_command generate.py "--network $(printf %q "$path") --seeds 0-9"
  fi
}

target=""
wanted=""
while [ "$#" -gt 0 ]; do
  word="$1"
  shift
  case "$word" in
    -h | --help)
      print_help
      exit 0
      ;;
    --names) # for programs
      printf '%s\n' "$all_names"
      exit 0
      ;;
    --to)
      target="${1:-}"
      if [ -z "$target" ]; then fail "--to needs a folder"; fi
      shift
      ;;
    --to=?*) target="${word#*=}" ;;
    -*) fail "unknown option '$word' ($me --help shows how)" ;;
    *)
      if ! find_name "$word"; then fail "there is no '$word' to fetch: there are ${all_names// /, }"; fi
      wanted="$wanted $name"
      ;;
  esac
done
if [ -z "$wanted" ]; then
  print_help >&2
  exit 2
fi
if [ -n "$target" ]; then
  typed_folder "$target"
elif [ . -ef "$project" ]; then
  folder="."
else
  folder="$project"
fi
find_python torch PyTorch # it looks at what came: asked before the download, not after it

# After Ctrl-C the one download ends orderly; the next is not to begin.
trap 'exit 130' INT
failed=0
for word in $wanted; do
  find_name "$word"
  fetch_one || failed=1
done
exit "$failed"
