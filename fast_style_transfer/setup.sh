#!/usr/bin/env bash
# Fetch what training at full length needs: VGG-19 and COCO's photographs, into data/. See --help.
# Runs in bash 3.2 (macOS), Git Bash, WSL, Cygwin and Linux.
set -euo pipefail

project="$(CDPATH='' cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
shared="$project/../shared_scripts"

print_help() {
  cat <<'HELP'
Fetch what training at full length needs, into data/ of the current folder, where style.py looks for it.

  setup.sh [--vgg-only | --coco-only]

  (default)    both of these
  --vgg-only   data/imagenet-vgg-verydeep-19.mat, 535 MB: the network the losses look through
  --coco-only  data/train2014, 82,783 photographs: a download of 13.5 GB, and as much again unpacked

Neither is needed to try it: style.py ships with a small loss network, and any folder of some hundred photographs
serves with --train-path FOLDER. Painting (evaluate.py, transform_video.py) needs nothing of this.

What is here and whole is not fetched again; a transfer that was cut goes on when the same command is run again.
Exit status: 0 all is here, 1 something could not be fetched, 2 wrong usage.
HELP
}

want_vgg=yes
want_coco=yes
for word in "$@"; do
  case "$word" in
    -h | --help)
      print_help
      exit 0
      ;;
    --vgg-only) want_coco=no ;;
    --coco-only) want_vgg=no ;;
    *)
      echo "error: unknown option '$word' (setup.sh --help shows how)" >&2
      exit 2
      ;;
  esac
done
if [ "$want_vgg$want_coco" = nono ]; then
  echo "error: --vgg-only and --coco-only together leave nothing; give neither to fetch both" >&2
  exit 2
fi

all_photographs=82783

photographs() { # how many of COCO's are here
  find data/train2014 -name 'COCO_train2014_*.jpg' 2> /dev/null | wc -l | tr -d ' '
}

# The archive holds a folder train2014, so it is unpacked into data.
fetch_coco() {
  if [ "$(photographs)" -ge "$all_photographs" ]; then
    echo "data/train2014 has its photographs already"
    return 0
  fi
  echo "COCO's 82,783 photographs: a download of 13.5 GB (13,510,573,713 bytes), and as much again unpacked."
  echo "To try it, any folder of some hundred photographs serves: python style.py --train-path FOLDER …"
  # This mark says that the archive was unpacked once. Some photographs are missing, so it is to be unpacked again;
  # those that are there are left alone.
  rm -f data/.train2014.zip.unpacked
  # The MD5 is the one that other projects' lists give; the first address is the second one's host by its https name.
  "$BASH" "$shared/download.sh" --md5 0da8c0bd3d6becc4dcb32757491aca88 --unpack data data/train2014.zip \
    https://s3.amazonaws.com/images.cocodataset.org/zips/train2014.zip \
    http://images.cocodataset.org/zips/train2014.zip || return
  echo "data/train2014 is ready; data/train2014.zip is needed no more and can be deleted"
}

# After Ctrl-C the one download ends orderly; the next is not to begin.
trap 'exit 130' INT
if ! mkdir -p data/bin; then
  echo "error: cannot create the folder data/bin here ($PWD): check your rights, or run this in another folder" >&2
  exit 1
fi
failed=no
if [ "$want_vgg" = yes ] && ! "$BASH" "$shared/download_vgg19.sh" data; then
  failed=yes
  echo "without VGG-19, style.py uses the small loss network that ships with it" >&2
fi
if [ "$want_coco" = yes ] && ! fetch_coco; then failed=yes; fi
if [ "$failed" = yes ]; then exit 1; fi
