# shellcheck shell=bash
#
# Programs from the distribution's packages. To be sourced.

# need_program PROGRAM PACKAGE: installs the package where the program is missing.
need_program() {
  if command -v "$1" >/dev/null; then
    return 0
  fi
  printf 'installing %s\n' "$2" >&2
  if command -v brew >/dev/null; then
    brew install "$2" >&2
  elif command -v apt-get >/dev/null; then
    as_root apt-get -q update >&2 && as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y "$2" >&2
  elif command -v dnf >/dev/null; then
    as_root dnf install -y "$2" >&2
  elif command -v apk >/dev/null; then
    as_root apk add "$2" >&2
  fi
  if ! command -v "$1" >/dev/null; then
    printf '%s is needed and could not be installed; install %s and try again\n' "$1" "$2" >&2
    return 1
  fi
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}
