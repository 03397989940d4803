# shellcheck shell=bash
#
# Private PgBouncers for tests. To be sourced after postgres.sh, by bash 3.2 or later, under
# `set -euo pipefail`.
#
#   pgbouncer_find_or_install           sets PGBOUNCER_BIN
#   pgbouncer_start DIR PORT MODE       starts a pooler in DIR with this pool_mode in front of the
#                                       PostgreSQL server at PORT; sets PGBOUNCER_PORT
#   pgbouncer_stop DIR                  stops that pooler, and no other

pgbouncer_find_or_install() {
  pgbouncer_find && return 0
  postgres_say 'no PgBouncer found; installing it'
  if command -v brew >/dev/null; then
    brew install pgbouncer >&2
  elif command -v apt-get >/dev/null; then
    pgbouncer_install_by_apt
  elif command -v dnf >/dev/null; then
    postgres_as_root dnf install -y pgbouncer >&2
  elif command -v apk >/dev/null; then
    postgres_as_root apk add pgbouncer >&2
  fi || true
  pgbouncer_find || {
    postgres_say 'could not install PgBouncer; install it and try again'
    return 1
  }
}

pgbouncer_find() {
  local dir
  PGBOUNCER_BIN=$(command -v pgbouncer) && return 0
  # Distributions keep it off the PATH of users.
  for dir in /usr/sbin /opt/homebrew/bin /usr/local/bin; do
    PGBOUNCER_BIN=$dir/pgbouncer
    [ -x "$PGBOUNCER_BIN" ] && return 0
  done
  return 1
}

# The package may start a pooler of its own, on port 6432.
pgbouncer_install_by_apt() {
  local options=(-o DPkg::Lock::Timeout=300 -q)
  postgres_as_root apt-get "${options[@]}" update >&2 || return 1
  postgres_as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get "${options[@]}" install -y --no-install-recommends pgbouncer >&2
}

pgbouncer_start() {
  local dir=$1 server=$2 mode=$3 try
  postgres_make_folder "$dir" || return 1
  for try in 1 2 3 4 5 6 7 8 9 10; do
    PGBOUNCER_PORT=$(postgres_free_port) || return 1
    pgbouncer_configure "$dir" "$server" "$mode"
    if postgres_as_user "$PGBOUNCER_BIN" -q -d "$dir/pgbouncer.ini" </dev/null >"$dir/launch.log" 2>&1 &&
      pgbouncer_answers; then
      return 0
    fi
    postgres_say "PgBouncer did not start on port $PGBOUNCER_PORT (try $try)"
  done
  cat "$dir/launch.log" "$dir/pgbouncer.log" >&2 || true
  return 1
}

pgbouncer_configure() {
  cat >"$1/pgbouncer.ini" <<SETTINGS
[databases]
* = host=127.0.0.1 port=$2 user=postgres

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $PGBOUNCER_PORT
unix_socket_dir =
auth_type = any
pool_mode = $3
ignore_startup_parameters = extra_float_digits
logfile = $1/pgbouncer.log
pidfile = $1/pgbouncer.pid
SETTINGS
  chmod 644 "$1/pgbouncer.ini"
}

pgbouncer_answers() {
  local try
  for try in {1..100}; do
    (exec 3<>"/dev/tcp/127.0.0.1/$PGBOUNCER_PORT") 2>/dev/null && return 0
    sleep 0.1
  done
  postgres_say "nothing listens after $try tries"
  return 1
}

pgbouncer_stop() {
  local pid
  if pid=$(cat "$1/pgbouncer.pid" 2>/dev/null); then
    # SIGINT waits for transactions; SIGTERM does not.
    kill -TERM "$pid" 2>/dev/null || true
  fi
}
