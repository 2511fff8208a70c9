#!/usr/bin/env bash
# List, find and prune the checkpoints in a folder. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

print_help() {
  cat <<'HELP'
List, find and prune the checkpoints in a folder (not in the folders inside it).

  checkpoints.sh list   DIR [PATTERN]                    all, the newest last, with their sizes
  checkpoints.sh latest DIR [PATTERN]                    the path of the newest
  checkpoints.sh prune  DIR --keep N [PATTERN] [--yes]   delete all but the newest N; without --yes only say so

PATTERN picks files by name, in quotes: '*_net_G.pth'. Without it: .pth .pt .ckpt .safetensors .h5 .hdf5
.keras .weights .npz .pkl .t7 .pth.tar, and TensorFlow's .index, .meta and .data-*. Temporary files (.tmp, .part) and
hidden ones never count.

The order is that of the last number in the name (9 before 10; the 5 of .h5 does not count), or
of the time where no name has a number. Files with the same number are one checkpoint (10_net_G.pth and
10_net_D.pth): prune keeps or deletes them together. Where some names have numbers, those without
(latest.pth, best.pth) come first in the list and are never deleted; neither are links.
Exit status: 0, 1 when there is no checkpoint, 2 wrong usage.
HELP
}

usage_error() {
  printf 'error: %s (checkpoints.sh --help shows how)\n' "$*" >&2
  exit 2
}

is_default() { # NAME: whether it looks like a checkpoint
  case "$1" in
    *.pth | *.pt | *.ckpt | *.safetensors | *.h5 | *.hdf5 | *.keras | *.weights | *.npz | *.pkl | *.t7 | *.pth.tar) return 0 ;;
    *.index | *.meta | *.data-[0-9]*-of-[0-9]*) return 0 ;;
  esac
  return 1
}

# Sets $number to the last number in NAME, without leading zeros; empty where it has none.
number=""
number_of() { # NAME
  local stem="$1" ending
  # TensorFlow cuts one checkpoint into ckpt-100.data-00000-of-00002 and so on: those are not steps.
  case "$stem" in *.data-[0-9]*-of-[0-9]*) stem="${stem%.data-*}" ;; esac
  # The 5 of .h5 is no step, but the 100 of model.ckpt-100 is.
  case "$stem" in *.h5 | *.hdf5 | *.t7) stem="${stem%.*}" ;; esac
  number=""
  case "$stem" in *[0123456789]*) ;; *) return 0 ;; esac
  # Cut what follows the last digit, then keep the digits at the end.
  ending="${stem##*[0123456789]}"
  number="${stem%"$ending"}"
  number="${number##*[!0123456789]}"
  while [ "${#number}" -gt 1 ] && [ "${number#0}" != "$number" ]; do number="${number#0}"; done
}

# Sets $human: 1234567 -> 1.2 MB
human=""
humanize() { # BYTES
  local tenths="$(($1 * 10))" unit
  human="$1 B"
  for unit in kB MB GB TB; do
    if [ "$tenths" -lt 10000 ]; then break; fi
    tenths=$((tenths / 1000))
    human="$((tenths / 10)).$((tenths % 10)) $unit"
  done
}

# One call for all files, as starting programs is slow on Windows; GNU and BSD differ.
times_and_sizes() { # FILE...: a line `time size` for each
  if stat -c %Y . > /dev/null 2>&1; then
    stat -L -c '%Y %s' -- "$@"
  else
    stat -L -f '%m %z' -- "$@"
  fi
}

# ---- the command line -----------------------------------------------------------------------------------------------

keep=""
yes=no
options_over=no
words=()
while [ "$#" -gt 0 ]; do
  if [ "$options_over" = yes ]; then
    words+=("$1")
    shift
    continue
  fi
  case "$1" in
    -h | --help)
      print_help
      exit 0
      ;;
    --) options_over=yes ;;
    --yes | -y) yes=yes ;;
    --keep)
      if [ "$#" -lt 2 ]; then usage_error "--keep needs a number"; fi
      keep="$2"
      shift
      ;;
    --keep=*) keep="${1#*=}" ;;
    -*) usage_error "unknown option '$1'" ;;
    *) words+=("$1") ;;
  esac
  shift
done

if [ "${#words[@]}" -lt 2 ]; then usage_error "expected list, latest or prune, and a folder"; fi
command="${words[0]}"
folder="${words[1]}"
pattern="${words[2]:-}"
case "$command" in
  list | latest)
    if [ -n "$keep" ] || [ "$yes" = yes ]; then usage_error "--keep and --yes belong to prune"; fi
    ;;
  prune)
    # At least one: the newest checkpoint is never deleted.
    case "$keep" in
      '') usage_error "prune needs --keep N" ;;
      *[!0123456789]* | ??????????*) usage_error "--keep: '$keep' is not a whole number" ;;
    esac
    keep="$((10#$keep))"
    if [ "$keep" -lt 1 ]; then usage_error "--keep: the newest is always kept, so N is 1 or more"; fi
    ;;
  *) usage_error "unknown command '$command': list, latest or prune" ;;
esac
if [ "${#words[@]}" -gt 3 ]; then
  usage_error "one PATTERN at most; put it in quotes, so that the shell does not replace it: '*.pth'"
fi
case "$pattern" in */*) usage_error "the pattern '$pattern' has a slash: it is for names in one folder" ;; esac
if [ ! -d "$folder" ]; then usage_error "no such folder: $folder"; fi

# ---- the files ------------------------------------------------------------------------------------------------------

case "$folder" in
  /) prefix=/ ;;
  -*) prefix="./${folder%/}/" ;;
  *) prefix="${folder%/}/" ;;
esac
names=()
numbers=()
any_number=no
shopt -s nullglob
for path in "$prefix"*; do
  name="${path##*/}"
  case "$name" in *.tmp | *.part) continue ;; esac
  if [ -n "$pattern" ]; then
    # Unquoted: it is a pattern. In [[ ]] nothing is split or replaced by files.
    # shellcheck disable=SC2053
    [[ "$name" == $pattern ]] || continue
  else
    is_default "$name" || continue
  fi
  [ -f "$path" ] || continue
  number_of "$name"
  names+=("$name")
  numbers+=("$number")
  if [ -n "$number" ]; then any_number=yes; fi
done

count="${#names[@]}"
if [ "$count" -eq 0 ]; then
  printf 'error: no checkpoint in %s%s\n' "$folder" "${pattern:+ with a name like $pattern}" >&2
  exit 1
fi

paths=()
for name in "${names[@]}"; do paths+=("$prefix$name"); done
details="$(times_and_sizes "${paths[@]}")"
times=()
sizes=()
while read -r time size; do
  times+=("$time")
  sizes+=("$size")
done <<< "$details"
if [ "${#sizes[@]}" -ne "$count" ]; then
  printf 'error: the files in %s changed while they were being read: run the command again\n' "$folder" >&2
  exit 1
fi

# Sorted by number, then time; what is sorted is the place in `names`, so that no odd name can break a line in two.
# Without a number: -1, before all others.
sorted="$(
  place=0
  while [ "$place" -lt "$count" ]; do
    printf '%s %s %s\n' "${numbers[place]:--1}" "${times[place]}" "$place"
    place=$((place + 1))
  done | LC_ALL=C sort -k 1,1n -k 2,2n -k 3,3n | cut -d ' ' -f 3
)"
order=()
while read -r place; do order+=("$place"); done <<< "$sorted"

case "$command" in
  latest)
    printf '%s\n' "${paths[${order[count - 1]}]}"
    ;;
  list)
    for place in "${order[@]}"; do
      humanize "${sizes[place]}"
      printf '%10s  %s\n' "$human" "${paths[place]}"
    done
    ;;
  prune)
    doomed=()
    kept=0
    freed=0
    last="none yet"
    step="$count"
    while [ "$step" -gt 0 ]; do # from the newest to the oldest
      step=$((step - 1))
      place="${order[step]}"
      number="${numbers[place]}"
      if [ "$any_number" = yes ] && [ -z "$number" ]; then continue; fi
      if [ -z "$number" ] || [ "$number" != "$last" ]; then kept=$((kept + 1)); fi
      last="$number"
      if [ "$kept" -le "$keep" ] || [ -L "${paths[place]}" ]; then continue; fi
      doomed+=("$place")
      freed=$((freed + sizes[place]))
    done
    if [ "${#doomed[@]}" -eq 0 ]; then
      printf 'nothing to prune in %s: it has no more than %s\n' "$folder" "$keep"
      exit 0
    fi
    failed=0
    for place in "${doomed[@]}"; do
      if [ "$yes" = yes ]; then
        if rm -f -- "${paths[place]}"; then
          printf 'deleted %s\n' "${paths[place]}"
        else
          failed=$((failed + 1))
          freed=$((freed - sizes[place]))
        fi
      else
        humanize "${sizes[place]}"
        printf 'would delete %s (%s)\n' "${paths[place]}" "$human"
      fi
    done
    humanize "$freed"
    if [ "$yes" = yes ]; then
      printf '%s freed\n' "$human"
    else
      printf '%s would be freed; nothing is deleted yet: add --yes\n' "$human"
    fi
    if [ "$failed" -gt 0 ]; then
      printf 'error: %s of the files in %s could not be deleted: check your rights there\n' "$failed" "$folder" >&2
      exit 1
    fi
    ;;
esac
