# What test.sh, test2.sh and download_styles.sh share; to be sourced, with $project set to the project's folder.
# shellcheck shell=bash
# shellcheck disable=SC2154,SC2034  # project is the caller's; what is set here is for the callers

# shellcheck source=../../shared_scripts/common.sh
. "$project/../shared_scripts/common.sh"

# Prints the caller's help and ends, where one of the words asks for it.
help_if_asked() { # WORD ...
  local word
  for word in "$@"; do
    case "$word" in
      -h | --help)
        print_help
        exit 0
        ;;
    esac
  done
}

# Sets $folder to where $content's results go and creates it: outputs/ here, or for the project's own pictures, where
# there is none here, the project's.
choose_outputs() {
  folder=outputs
  case "$content" in "$project"/*) choose_folder outputs ;; esac
  folder="${folder#./}"
  mkdir -p "$folder" || fail "cannot create the folder $folder: check your rights, or work in another folder"
}

# ---- pictures -------------------------------------------------------------------------------------------------------

is_picture() { # NAME
  case "$1" in
    *.[jJ][pP][gG] | *.[jJ][pP][eE][gG] | *.[pP][nN][gG] | *.[wW][eE][bB][pP] | *.[bB][mM][pP]) return 0 ;;
    *.[tT][iI][fF] | *.[tT][iI][fF][fF] | *.[gG][iI][fF]) return 0 ;;
  esac
  return 1
}

# Prints the pictures of contents/, here and in the project, one a line.
pictures() {
  local path
  for path in contents/* "$project"/contents/*; do
    if [ -f "$path" ] && is_picture "$path"; then printf '%s\n' "$path"; fi
  done
}

# Sets $content to the picture that CONTENT means: a name in contents/, with or without its ending, or a path.
content=""
find_content() { # CONTENT
  local place path
  with_slashes "$1"
  case "$name" in
    */*) set -- "$name" ;;
    *) set -- "contents/$name" "$project/contents/$name" "$name" ;;
  esac
  for place in "$@"; do
    for path in "$place" "$place.jpg" "$place".*; do
      case "${path#"$place"}" in .*.*) continue ;; esac
      if [ -f "$path" ] && { [ "$path" = "$place" ] || is_picture "$path"; }; then
        content="$path"
        return 0
      fi
    done
  done
  fail "there is no picture '$name'; contents/ has: $(pictures | base_names)"
}

# ---- styles ---------------------------------------------------------------------------------------------------------

is_style() { # PATH: a checkpoint's one file, what its two files have in common, or a folder with one in it
  local path
  if [ -f "$1" ] || [ -f "$1.index" ]; then return 0; fi
  for path in "$1/checkpoint" "$1"/*.index "$1"/*.ckpt; do
    if [ -f "$path" ]; then return 0; fi
  done
  return 1
}

# Prints the names of the styles in ckpts/ and ckpts/published/, here and in the project, one a line.
style_names() {
  local place path entry
  for place in ckpts ckpts/published "$project/ckpts" "$project/ckpts/published"; do
    for path in "$place"/*; do
      entry="${path##*/}"
      case "$entry" in
        published) ;;
        *.ckpt | *.ckpt.index) if is_style "${path%.index}"; then printf '%s\n' "${entry%.ckpt*}"; fi ;;
        *) if [ -d "$path" ] && is_style "$path"; then printf '%s\n' "$entry"; fi ;;
      esac
    done
  done | LC_ALL=C sort -u
}

# Sets $style to the checkpoint that STYLE means, a name in ckpts/ or a path, and $style_name to what it is called.
style=""
style_name=""
find_style() { # STYLE
  local place
  with_slashes "$1"
  case "$name" in
    */* | published) ;;
    *)
      style_name="${name%.ckpt}"
      for place in ckpts ckpts/published "$project/ckpts" "$project/ckpts/published"; do
        for style in "$place/$style_name.ckpt" "$place/$style_name"; do
          if is_style "$style"; then return 0; fi
        done
      done
      ;;
  esac
  style="${name%/}"
  if [ ! -e "$style" ] && [ ! -f "$style.index" ]; then
    fail "there is no style '$name'; ckpts/ has: $(style_names | joined)"
  fi
  style_name="$style"
  case "$style_name" in *.index | *.meta | *.data-*-of-*) style_name="${style_name%.*}" ;; esac
  # fns.ckpt is what every training writes: the folder's name says more.
  case "$style_name" in ?*/fns.ckpt) style_name="${style_name%/*}" ;; esac
  style_name="${style_name##*/}"
  style_name="${style_name%.ckpt}"
}

# ---- lists for people -----------------------------------------------------------------------------------------------

base_names() { # paths on stdin -> their names without endings, joined
  sed -e 's|.*/||' -e 's|\.[^.]*$||' | LC_ALL=C sort -u | joined
}

joined() { # lines on stdin -> one line; a word where there are none
  awk '{ line = line (NR > 1 ? ", " : "") $0 } END { print NR ? line : "nothing" }'
}
