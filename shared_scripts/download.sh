#!/usr/bin/env bash
# Download files so that a file under its final name is always whole. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux, with curl or, where there is none, GNU wget.
set -euo pipefail

here="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"

print_help() {
  cat <<'HELP'
Download a file: resumed when it was cut, checked, and never half-written under its final name.

  download.sh [options] OUTPUT URL [MIRROR_URL ...]     one file; mirrors are tried in the order given
  download.sh [options] --list FILE [FOLDER]            several files, into FOLDER (default: here)

Options:
  --sha256 HEX         the file's SHA-256; several times: any of them will do
  --sha256-prefix HEX  the first digits of it (8 or more), where a project publishes no more
  --md5 HEX            the file's MD5; together with --sha256: any of them will do
  --unpack DIR         then unpack OUTPUT into DIR (zip, tar, tar.gz, tar.bz2, tar.xz, gz, bz2, xz);
                       archives with links, absolute paths or .. in them are refused
  --min-bytes N        anything smaller is not the file
  --retries N          how often a broken transfer is tried again (default 3, or DOWNLOAD_RETRIES)
  --help               this text

A line of a --list file holds, with blanks between them (or tabs, where a name has blanks):
  CHECKSUM OUTPUT URL [MIRROR_URL ...]
CHECKSUM is a SHA-256, md5:HEX, sha256-prefix:HEX, several of these with commas, or - for none.
Empty lines and lines that begin with # are skipped.

A file that is here and whole is not fetched again. What a cut transfer leaves is OUTPUT.part: the same
command goes on from there.
Environment: DOWNLOAD_RETRIES, DOWNLOAD_RETRY_DELAY (seconds before the first new try, then doubled;
default 2), PYTHON (the interpreter that unpacks), and the proxy variables of curl and wget.
Exit status: 0 all is here, 1 a download or unpacking failed, 2 wrong usage.

Example:
  download.sh --sha256 9f86d081... --unpack datasets downloads/maps.tar.gz https://example.org/maps.tar.gz
HELP
}

say() { printf '%s\n' "$*"; }
warn() { printf 'warning: %s\n' "$*" >&2; }
complain() { printf 'error: %s\n' "$*" >&2; }
usage_error() {
  complain "$* (download.sh --help shows how)"
  exit 2
}

# ---- the file and its checksums -------------------------------------------------------------------------------------

# Checksums that will do, as words `kind:hex`. A string rather than an array: empty arrays and `set -u` quarrel in 3.2,
# and only hexadecimal digits get in here, so splitting it at blanks is safe.
accepted=""

accept() { # KIND HEX WHERE: add a checksum to $accepted
  local kind="$1" hex digits
  hex="$(printf '%s' "$2" | LC_ALL=C tr '[:upper:]' '[:lower:]')"
  digits=64
  if [ "$kind" = md5 ]; then digits=32; fi
  case "$hex" in
    '' | *[!0123456789abcdef]*) usage_error "$3: '$2' is not a checksum: it has other characters than 0-9 and a-f" ;;
  esac
  if [ "$kind" = sha256-prefix ]; then
    if [ "${#hex}" -lt 8 ] || [ "${#hex}" -gt 64 ]; then
      usage_error "$3: '$2' has ${#hex} digits, the beginning of a SHA-256 needs 8 to 64"
    fi
  elif [ "${#hex}" -ne "$digits" ]; then
    usage_error "$3: '$2' has ${#hex} digits, a checksum of this kind has $digits"
  fi
  accepted="$accepted $kind:$hex"
}

have_program() { command -v "$1" > /dev/null 2>&1; }

# The file goes in through stdin, so that no odd name can change what is printed.
sha256_of() {
  if have_program sha256sum; then sha256sum < "$1" | cut -d ' ' -f 1
  elif have_program shasum; then shasum -a 256 < "$1" | cut -d ' ' -f 1
  else openssl dgst -sha256 < "$1" | sed 's/^.*= *//'
  fi
}

md5_of() {
  if have_program md5sum; then md5sum < "$1" | cut -d ' ' -f 1
  elif have_program md5; then md5 < "$1" | sed 's/^.*= *//'
  else openssl dgst -md5 < "$1" | sed 's/^.*= *//'
  fi
}

require_checksum_programs() {
  case "$accepted" in
    *sha256*)
      have_program sha256sum || have_program shasum || have_program openssl || {
        complain "no program to compute SHA-256: install coreutils (sha256sum), perl (shasum) or openssl"
        exit 1
      }
      ;;
  esac
  case "$accepted" in
    *md5:*)
      have_program md5sum || have_program md5 || have_program openssl || {
        complain "no program to compute MD5: install coreutils (md5sum) or openssl"
        exit 1
      }
      ;;
  esac
}

size_of() { # 0 for a file that is not there
  if [ -f "$1" ]; then wc -c < "$1" | tr -d ' '; else echo 0; fi
}

is_web_page() { # FILE: whether it begins like HTML
  local head
  head="$(head -c 1024 "$1" | LC_ALL=C tr '[:upper:]' '[:lower:]' | LC_ALL=C tr -d '\000\357\273\277 \t\r\n')"
  case "$head" in
    '<!doctypehtml'* | '<html'* | '<?xml'*'<!doctypehtml'* | '<!--'*'<html'* | '<!--'*'<!doctypehtml'*) return 0 ;;
  esac
  return 1
}

wants_web_page() { # OUTPUT: whether a web page is what the user asked for
  case "$1" in
    *.html | *.htm | *.HTML | *.HTM) return 0 ;;
  esac
  return 1
}

# Sets $problem: empty when FILE is whole, otherwise what is wrong with it. OUTPUT is the name it is going to have.
problem=""
look_at() { # FILE OUTPUT
  local sum size sha256="" md5="" expected="" found=""
  problem=""
  size="$(size_of "$1")"
  if [ -n "$accepted" ]; then
    case "$accepted" in *sha256*) sha256="$(sha256_of "$1")" ;; esac
    case "$accepted" in *md5:*) md5="$(md5_of "$1")" ;; esac
    for sum in $accepted; do
      case "$sum" in
        "sha256:$sha256" | "md5:$md5") return 0 ;;
        sha256-prefix:*) case "$sha256" in "${sum#*:}"*) return 0 ;; esac ;;
      esac
      expected="$expected${expected:+ or }${sum%%:*} ${sum#*:}"
    done
    if [ -n "$sha256" ]; then found="sha256 $sha256"; fi
    if [ -n "$md5" ]; then found="$found${found:+, }md5 $md5"; fi
  fi
  if [ "$size" -eq 0 ]; then
    problem="it is empty"
  elif ! wants_web_page "$2" && is_web_page "$1"; then
    problem="it is a web page (a login, quota or error page?), not the file"
  elif [ "$size" -lt "$min_bytes" ]; then
    problem="it has $size bytes, at least $min_bytes are expected"
  elif [ -n "$accepted" ]; then
    problem="its checksum is wrong: expected $expected, found $found ($size bytes)"
  fi
}

# ---- one transfer ---------------------------------------------------------------------------------------------------

# A transfer sets $outcome and, unless it is whole, $reason:
#   whole       the server says that this was all of it
#   anew        the server does not go on from where we are: begin again from the first byte
#   again       it may work the next time: try again, go on from there
#   no          this address is no good
#   stop        nothing will help here (disk full)
outcome=""
reason=""

http_outcome() { # STATUS RESUMED: what an HTTP error status means
  outcome=no
  case "$1" in
    401 | 403 | 407) reason="the server does not give it out (HTTP $1): it may want a login, or another network" ;;
    404 | 410) reason="there is no such file at this address (HTTP $1)" ;;
    416)
      reason="the server finds nothing to send (HTTP 416)"
      if [ "$2" = yes ]; then outcome=anew; fi
      ;;
    408 | 429 | 5*)
      outcome=again
      reason="the server is busy or broken (HTTP $1)"
      ;;
    *) reason="the server answers HTTP $1" ;;
  esac
}

validator_of() { # HEADERS: what names this version of the file: a strong ETag, else its date; nothing where there is none
  [ -f "$1" ] || return 0
  LC_ALL=C tr -d '\r' < "$1" | LC_ALL=C awk '
    { line = $0; key = tolower($1); sub(/^[^:]*:[ \t]*/, "", line) }
    /^HTTP\// { etag = ""; date = "" }  # after a redirect only the last answer counts
    key == "etag:" { etag = line }
    key == "last-modified:" { date = line }
    END { if (etag ~ /^"/) print etag; else if (date != "") print date }'
}

with_curl() { # URL PART HAVE VALIDATOR OUTPUT
  local url="$1" part="$2" have="$3" validator="$4" output="$5" answer status=0 code kind resumed=no secure='=http,https'
  # Without a checksum, https is all that vouches for the file: a redirect may not leave it then.
  case "$url" in [hH][tT][tT][pP][sS]:*) if [ -z "$accepted" ]; then secure='=https'; fi ;; esac
  set -- --fail --location --globoff --proto '=http,https' --proto-redir "$secure" --connect-timeout 20 \
    --speed-limit 1 --speed-time 60 --output "$part" --write-out '%{http_code} %{content_type}'
  if [ "$have" -gt 0 ]; then
    resumed=yes
    set -- "$@" --continue-at "$have"
    if [ -n "$validator" ]; then set -- "$@" --header "If-Range: $validator"; fi
  else
    set -- "$@" --dump-header "$part.head"
  fi
  if [ -t 2 ]; then set -- "$@" --progress-bar; else set -- "$@" --silent; fi
  answer="$(curl "$@" "$url")" || status=$?
  code="${answer%% *}"
  kind="$(printf '%s' "${answer#* }" | LC_ALL=C tr '[:upper:]' '[:lower:]')"
  case "$code" in [45]??) http_outcome "$code" "$resumed"; return ;; esac
  outcome=again
  case "$status" in
    0)
      outcome=whole
      # Asked for a part, the server sent, or says it would send, everything.
      if [ "$resumed" = yes ] && [ "$code" != 206 ]; then outcome=anew; fi
      ;;
    33 | 36) outcome=anew ;;
    5 | 6) reason="its host is not found: no network, or the site is gone" ;;
    7) reason="cannot connect to its host" ;;
    18 | 55 | 56 | 92) reason="the connection was cut" ;;
    28) reason="no answer in time" ;;
    52) reason="the server closed the connection without an answer" ;;
    16 | 35) reason="no secure connection (curl error $status)" ;;
    51 | 58 | 60 | 77 | 83 | 90 | 91)
      outcome=no
      reason="its certificate cannot be trusted (curl error $status): check this computer's clock and its CA certificates"
      ;;
    1) outcome=no reason="it redirects from https to something else" ;;
    47) outcome=no reason="it redirects in a circle" ;;
    23) outcome=stop reason="cannot write $part: is the disk full, or the folder read-only?" ;;
    *) outcome=no reason="curl failed with error $status" ;;
  esac
  # A page that answers a request to go on (a hotel's login, a quota) must not cost the part that is here already.
  if [ "$outcome" = anew ] && ! wants_web_page "$output"; then
    case "$kind" in
      text/html* | application/xhtml*) outcome=no reason="it answers with a web page (a login, quota or error page?), not the file" ;;
    esac
  fi
}

with_wget() { # URL PART HAVE: wget tells less than curl, so its few words are read from what it prints
  local url="$1" part="$2" have="$3" status=0 code resumed=no log="$lock_held/log"
  set -- --no-verbose --tries=1 --timeout=60 --output-document="$part"
  if [ "$have" -gt 0 ]; then
    resumed=yes
    set -- "$@" --continue
  fi
  if [ -t 2 ] && wget --help 2>&1 | grep -q -e '--show-progress'; then
    LC_ALL=C wget "$@" --show-progress --progress=bar:force "$url" 2>&1 | tee "$log" >&2 || status=$?
  else
    LC_ALL=C wget "$@" "$url" > "$log" 2>&1 || status=$?
  fi
  code="$(sed -n 's/.*ERROR \(response \)*\([0-9][0-9][0-9]\).*/\2/p' "$log" | tail -n 1)"
  if [ -n "$code" ]; then http_outcome "$code" "$resumed"; return; fi
  case "$status" in
    0) outcome=whole ;;
    3) outcome=stop reason="cannot write $part: is the disk full, or the folder read-only?" ;;
    4) outcome=again reason="the connection failed or was cut" ;;
    5)
      outcome=no
      reason="its certificate cannot be trusted (wget error 5): check this computer's clock and its CA certificates"
      ;;
    *) outcome=no reason="wget failed with error $status" ;;
  esac
}

# ---- one address, with its new tries --------------------------------------------------------------------------------

discard() { rm -f -- "$1" "$1.head"; }

# Returns 0 when OUTPUT.part is whole. Otherwise $reason says why not, and what came is kept if it can be continued.
try_address() { # URL OUTPUT
  local url="$1" output="$2" part="$2.part"
  local have now longest tries=0 pause="$retry_delay" validator resumable ours=no ranges=yes restarted=no
  longest="$(size_of "$part")"
  while :; do
    have="$(size_of "$part")"
    validator=""
    if [ "$have" -gt 0 ]; then
      # Going on is safe when a checksum will judge the whole, when the part came from this very address a moment ago,
      # or when the server can be asked «only if it is still this version».
      resumable=no
      if [ "$ranges" = no ]; then
        :
      elif [ -n "$accepted" ] || [ "$ours" = yes ]; then
        resumable=yes
      elif [ "$fetcher" = curl ]; then
        validator="$(validator_of "$part.head")"
        if [ -n "$validator" ]; then resumable=yes; fi
      fi
      if [ "$resumable" = no ]; then
        discard "$part"
        have=0
      fi
    fi
    if [ "$have" -gt 0 ]; then
      say "downloading $output, from byte $have on, from $url"
    else
      say "downloading $output from $url"
    fi
    "with_$fetcher" "$url" "$part" "$have" "$validator" "$output"
    now="$(size_of "$part")"
    if [ "$now" -eq 0 ]; then discard "$part"; fi
    case "$outcome" in
      whole)
        look_at "$part" "$output"
        if [ -z "$problem" ]; then return 0; fi
        discard "$part"
        if [ "$have" -gt 0 ] && [ "$restarted" = no ]; then
          # The old part may have been of another version, or from another mirror.
          restarted=yes
          say "what was kept of $output does not fit this address: beginning again"
          continue
        fi
        reason="$problem"
        return 1
        ;;
      anew)
        # The part may be all of it already: only a checksum can tell.
        if [ -n "$accepted" ]; then
          look_at "$part" "$output"
          if [ -z "$problem" ]; then return 0; fi
        fi
        if [ -z "$validator" ]; then ranges=no; fi
        discard "$part"
        if [ "$have" -eq 0 ]; then return 1; fi
        ;;
      again)
        if [ "$now" -gt "$have" ]; then ours=yes; fi
        # A long file over a bad line: a try that brought another megabyte was not in vain.
        if [ "$((now - longest))" -ge 1048576 ]; then
          tries=0
          pause="$retry_delay"
        fi
        if [ "$now" -gt "$longest" ]; then longest="$now"; fi
        if [ "$tries" -ge "$retries" ]; then return 1; fi
        tries=$((tries + 1))
        warn "$url: $reason; trying again in $pause s ($tries of $retries)"
        sleep "$pause"
        pause=$((pause * 2))
        if [ "$pause" -gt 30 ]; then pause=30; fi
        ;;
      *) return 1 ;;
    esac
  done
}

# ---- one file -------------------------------------------------------------------------------------------------------

# Two runs that append to one .part would spoil it. A folder is the lock, as only mkdir is atomic everywhere.
lock_held=""
lock() { # FOLDER
  local owner
  if ! mkdir -- "$1" 2> /dev/null; then
    if [ ! -d "$1" ]; then
      complain "cannot write in $(dirname -- "$1"): check that the folder is yours and the disk is not full"
      return 1
    fi
    owner="$(cat -- "$1/pid" 2> /dev/null || { sleep 1; cat -- "$1/pid" 2> /dev/null; } || true)"
    case "$owner" in
      '' | *[!0123456789]*) ;;
      *)
        if kill -0 "$owner" 2> /dev/null; then
          complain "${1%.part.lock} is being downloaded by another run (process $owner): wait for it, or remove the folder $1"
          return 1
        fi
        ;;
    esac
    # Its owner is gone (killed, or the computer went off).
  fi
  printf '%s\n' "$$" > "$1/pid"
  lock_held="$1"
}

unlock() {
  if [ -n "$lock_held" ]; then
    rm -f -- "$lock_held/pid" "$lock_held/log"
    rmdir -- "$lock_held" 2> /dev/null || true
    lock_held=""
  fi
}
trap unlock EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fetch() { # OUTPUT URL...: 0 when OUTPUT is here and whole
  local output="$1" url folder number=0 kept="" status
  shift
  if [ -d "$output" ]; then
    complain "$output is a folder: name the file to be written, for example $output/${1##*/}"
    return 2
  fi
  if [ -e "$output" ]; then
    look_at "$output" "$output"
    if [ -z "$problem" ]; then
      say "$output is already here"
      return 0
    fi
    warn "$output is here, but $problem: fetching it again"
  fi
  folder="$(dirname -- "$output")"
  if ! mkdir -p -- "$folder" 2> /dev/null; then
    complain "cannot create the folder $folder for $output: check its name and your rights there"
    return 1
  fi
  lock "$output.part.lock" || return 1
  status=1
  for url in "$@"; do
    number=$((number + 1))
    if try_address "$url" "$output"; then
      status=0
      break
    fi
    if [ "$outcome" = stop ]; then break; fi
    if [ "$number" -lt "$#" ]; then warn "$url: $reason; trying the next address"; fi
  done
  if [ "$status" -eq 0 ]; then
    rm -f -- "$output.part.head"
    if mv -f -- "$output.part" "$output"; then
      say "$output is here and whole ($(size_of "$output") bytes)"
    else
      complain "cannot rename $output.part to $output: close the program that uses it, then run the same command again"
      status=1
    fi
  elif [ "$outcome" = stop ]; then
    complain "cannot download $output: $reason"
  else
    if [ -s "$output.part" ]; then kept=" ($(size_of "$output.part") bytes are kept)"; fi
    if [ "$#" -gt 1 ]; then
      complain "cannot download $output: none of the $# addresses gave it; the last, $url: $reason;" \
        "run the same command again later$kept, or get the file with a browser and save it under that name"
    else
      complain "cannot download $output: $url: $reason;" \
        "run the same command again later$kept, or get the file with a browser and save it under that name"
    fi
  fi
  unlock
  return "$status"
}

check_url() { # URL WHERE
  case "$1" in
    *[[:space:]]*) usage_error "$2: the address '$1' has blanks in it: write them as %20" ;;
    [hH][tT][tT][pP]://?* | [hH][tT][tT][pP][sS]://?*) ;;
    *) usage_error "$2: '$1' is not an address: it should begin with https:// or http://" ;;
  esac
}

check_output() { # OUTPUT WHERE
  case "$1" in
    '') usage_error "$2: the name of the file to be written is empty" ;;
    */) usage_error "$2: '$1' is a folder: name the file to be written" ;;
  esac
}

# ---- several files --------------------------------------------------------------------------------------------------

# Reads FILE twice: first every line is checked, so that a slip in the last line does not show after an hour.
walk_list() { # FILE FOLDER check|fetch
  local line number=0 where output url failed=0 margin sums sum
  local -a fields
  while IFS= read -r line <&3 || [ -n "$line" ]; do
    number=$((number + 1))
    where="$1, line $number"
    line="${line%$'\r'}" # a list saved on Windows
    margin="${line%%[![:blank:]]*}"
    line="${line#"$margin"}"
    case "$line" in '' | '#'*) continue ;; esac
    case "$line" in
      *$'\t'*) IFS=$'\t' read -r -a fields <<< "$line" ;;
      *) IFS=' ' read -r -a fields <<< "$line" ;;
    esac
    if [ "${#fields[@]}" -lt 3 ]; then usage_error "$where: expected CHECKSUM OUTPUT URL, found '$line'"; fi
    accepted=""
    sums="${fields[0]}"
    if [ "$sums" != - ]; then
      while [ -n "$sums" ]; do
        sum="${sums%%,*}"
        case "$sum" in
          md5:* | sha256:* | sha256-prefix:*) accept "${sum%%:*}" "${sum#*:}" "$where" ;;
          *) accept sha256 "$sum" "$where" ;;
        esac
        sums="${sums#"$sum"}"
        sums="${sums#,}"
      done
    fi
    output="${fields[1]}"
    check_output "$output" "$where"
    case "$output" in /* | [A-Za-z]:*) ;; *) output="${2%/}/$output" ;; esac
    output="${output#./}"
    if [ "$3" = check ]; then
      require_checksum_programs
      for url in "${fields[@]:2}"; do check_url "$url" "$where"; done
    else
      fetch "$output" "${fields[@]:2}" || failed=$((failed + 1))
    fi
  done 3< "$1"
  if [ "$failed" -gt 0 ]; then
    complain "$failed of the files in $1 could not be downloaded (see above); the others are here"
    return 1
  fi
}

# ---- the command line -----------------------------------------------------------------------------------------------

retries="${DOWNLOAD_RETRIES:-3}"
retry_delay="${DOWNLOAD_RETRY_DELAY:-2}"
min_bytes=0
list=""
unpack_into=""
options_over=no
words=()

while [ "$#" -gt 0 ]; do
  word="$1"
  shift
  if [ "$options_over" = yes ]; then
    words+=("$word")
    continue
  fi
  case "$word" in
    -h | --help)
      print_help
      exit 0
      ;;
    --) options_over=yes ;;
    --sha256 | --sha256-prefix | --md5 | --unpack | --min-bytes | --retries | --list | \
      --sha256=* | --sha256-prefix=* | --md5=* | --unpack=* | --min-bytes=* | --retries=* | --list=*)
      case "$word" in
        *=*)
          value="${word#*=}"
          word="${word%%=*}"
          ;;
        *)
          if [ "$#" -eq 0 ]; then usage_error "$word needs a value"; fi
          value="$1"
          shift
          ;;
      esac
      if [ -z "$value" ]; then usage_error "$word: its value is empty"; fi
      case "$word" in
        --sha256 | --sha256-prefix | --md5) accept "${word#--}" "$value" "$word" ;;
        --unpack) unpack_into="$value" ;;
        --min-bytes) min_bytes="$value" ;;
        --retries) retries="$value" ;;
        --list) list="$value" ;;
      esac
      ;;
    -*) usage_error "unknown option '$word'" ;;
    *) words+=("$word") ;;
  esac
done

for pair in "--min-bytes:$min_bytes" "--retries (or DOWNLOAD_RETRIES):$retries" "DOWNLOAD_RETRY_DELAY:$retry_delay"; do
  case "${pair#*:}" in
    '' | *[!0123456789]* | ????????????????*) usage_error "${pair%%:*}: '${pair#*:}' is not a whole number" ;;
  esac
done

if [ -n "$list" ]; then
  if [ -n "$accepted$unpack_into" ]; then usage_error "--list goes without --sha256, --md5 and --unpack"; fi
  if [ "${#words[@]}" -gt 1 ]; then usage_error "--list takes one FOLDER at most"; fi
  if [ ! -f "$list" ] || [ ! -r "$list" ]; then usage_error "cannot read the list $list: no such file"; fi
  target="${words[0]:-.}"
  case "$list" in -*) list="./$list" ;; esac
else
  if [ "${#words[@]}" -lt 2 ]; then usage_error "expected OUTPUT and at least one URL"; fi
  target="${words[0]}"
  check_output "$target" OUTPUT
  for url in "${words[@]:1}"; do check_url "$url" "$target"; done
fi
case "$target" in -*) target="./$target" ;; esac

if have_program curl; then
  fetcher=curl
elif have_program wget; then
  fetcher=wget
else
  complain "neither curl nor wget is here: install curl (for example: apt install curl, or brew install curl)"
  exit 1
fi
require_checksum_programs

python=""
if [ -n "$unpack_into" ]; then
  # Asked before the download, not after it. It must also run: Windows has a python3 that only opens its store.
  for python in ${PYTHON:+"$PYTHON"} python3 python ""; do
    if [ -n "$python" ] && "$python" -c 'import sys; sys.exit(sys.version_info < (3, 8))' > /dev/null 2>&1; then break; fi
  done
  if [ -z "$python" ]; then
    complain "--unpack needs Python 3: install it, or set PYTHON to where it is"
    exit 1
  fi
fi

if [ -n "$list" ]; then
  walk_list "$list" "$target" check
  walk_list "$list" "$target" fetch
  exit
fi

status=0
fetch "$target" "${words[@]:1}" || status=$?
if [ "$status" -ne 0 ]; then exit "$status"; fi
if [ -n "$unpack_into" ]; then
  case "$unpack_into" in -*) unpack_into="./$unpack_into" ;; esac
  "$python" "$here/unpack.py" --once "$target" "$unpack_into" || exit 1
fi
