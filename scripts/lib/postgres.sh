# shellcheck shell=bash
#
# Private PostgreSQL servers for tests and benchmarks. To be sourced, by bash 3.2
# or later, under `set -euo pipefail`.
#
#   postgres_find_or_install            sets PG_BIN, the folder of initdb
#   postgres_start DIR [name=value...]  makes a database cluster in DIR and starts
#                                       a server on it with these settings; sets
#                                       PG_PORT and PG_URL
#   postgres_stop DIR                   stops that server, and no other
#   postgres_start_standby DIR PORT [OWN_PORT]
#                                       copies the server at PORT into DIR and starts a
#                                       standby that streams from it, at OWN_PORT or a
#                                       free one; sets PG_PORT
#   postgres_promote DIR                promotes that standby
#   postgres_kill DIR                   kills a server without a shutdown checkpoint
#
# A server listens on 127.0.0.1 and on a socket in DIR only. It asks for no password,
# so keep nothing there that matters. Start as many as you like, each in its own DIR.
# The caller removes DIR after postgres_stop.

postgres_say() {
  printf 'postgres: %s\n' "$*" >&2
}

postgres_find_or_install() {
  if postgres_find; then
    return 0
  fi
  postgres_install || return 1
  if ! postgres_find; then
    postgres_say 'installed, but initdb is still not to be found; put its folder on PATH'
    return 1
  fi
}

# Sets PG_BIN to the first folder that has a whole server, as a client package alone
# may bring some of the programs.
postgres_find() {
  local dir folders
  folders=$(postgres_folders)
  while IFS= read -r dir; do
    if [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ] && [ -x "$dir/postgres" ]; then
      PG_BIN=$dir
      return 0
    fi
  done <<<"$folders"
  return 1
}

# The folders where a server may be: PATH first, then those that distributions and
# Homebrew keep off PATH, the newest version first.
postgres_folders() {
  local initdb target
  if initdb=$(command -v initdb); then
    # If it is a link, the folder that it leads to has the rest, psql among it.
    target=$(readlink -f "$initdb" 2>/dev/null) && dirname "$target"
    dirname "$initdb"
  fi
  printf '%s\n' \
    /usr/lib/postgresql/*/bin \
    /usr/libexec/postgresql*/ \
    /usr/pgsql-*/bin \
    /opt/homebrew/opt/postgresql*/bin \
    /usr/local/opt/postgresql*/bin \
    /home/linuxbrew/.linuxbrew/opt/postgresql*/bin |
    sort -rV
}

postgres_install() {
  if command -v brew >/dev/null; then
    postgres_say 'no server found; installing one with brew'
    brew install postgresql@17 >&2
  elif command -v apt-get >/dev/null; then
    postgres_say 'no server found; installing one with apt-get'
    postgres_install_by_apt
  elif command -v dnf >/dev/null; then
    postgres_say 'no server found; installing one with dnf'
    postgres_as_root dnf install -y postgresql-server >&2
  elif command -v apk >/dev/null; then
    postgres_say 'no server found; installing one with apk'
    postgres_as_root apk add postgresql >&2
  else
    postgres_say 'no server found, and none of brew, apt-get, dnf and apk to install one with;'
    postgres_say 'install PostgreSQL 14 or later, with initdb on PATH, and try again'
    return 1
  fi || {
    postgres_say 'could not install a server; install PostgreSQL 14 or later and try again'
    return 1
  }
}

postgres_install_by_apt() {
  # The package would make a cluster of its own and start it on port 5432; nothing
  # here needs that, so a machine that has not had the package is spared it.
  local settings=/etc/postgresql-common/createcluster.d
  if [ ! -e /etc/postgresql-common ]; then
    postgres_as_root mkdir -p "$settings" || return 1
    printf 'create_main_cluster = false\n' |
      postgres_as_root tee "$settings/no-main-cluster.conf" >/dev/null || return 1
  fi
  # Another install may hold the lock, such as a second run of the tests.
  local options=(-o DPkg::Lock::Timeout=300 -q)
  postgres_as_root apt-get "${options[@]}" update >&2 || return 1
  postgres_as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get "${options[@]}" install -y --no-install-recommends postgresql >&2
}

postgres_as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    postgres_say "not root, and no sudo, for: $*"
    return 1
  fi
}

# Runs a command as a user other than root, which PostgreSQL refuses to run as.
postgres_as_user() (
  # The other user may not be able to enter the folder we are in.
  cd / || exit 1
  if [ "$(id -u)" -ne 0 ]; then
    exec "$@"
  fi
  user=$(postgres_user) || exit 1
  # Each is tried first, as the name proves little: busybox's setpriv has no --reuid.
  if setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups true 2>/dev/null; then
    exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups -- "$@"
  elif runuser -u "$user" -- true 2>/dev/null; then
    exec runuser -u "$user" -- "$@"
  elif su -s /bin/sh -c true "$user" 2>/dev/null; then
    exec su -s /bin/sh -c "$(printf '%q ' "$@")" "$user"
  fi
  postgres_say "none of setpriv, runuser and su could become $user"
  exit 1
)

postgres_user() {
  local user
  for user in postgres nobody; do
    if id -u "$user" >/dev/null 2>&1; then
      printf '%s\n' "$user"
      return 0
    fi
  done
  postgres_say 'run as root, but with no user postgres or nobody to run the server as'
  return 1
}

# postgres_start DIR [name=value...]
postgres_start() {
  local dir=$1
  shift
  postgres_make_folder "$dir" || return 1
  postgres_init "$dir" || return 1
  postgres_configure "$dir" "$@" || return 1
  postgres_launch_on_free_port "$dir" || return 1
  # shellcheck disable=SC2034 # for the caller
  PG_URL="postgres://postgres@127.0.0.1:$PG_PORT/postgres"
}

# The standby is named, so that a primary may wait for it as its synchronous standby.
postgres_start_standby() {
  local dir=$1 primary=$2 port=${3:-}
  postgres_make_folder "$dir" || return 1
  if ! postgres_as_user "$PG_BIN/pg_basebackup" -d "host=127.0.0.1 port=$primary user=postgres" -D "$dir/data" \
    --write-recovery-conf --wal-method=stream --checkpoint=fast --no-sync >"$dir/backup.log" 2>&1; then
    postgres_say "the server on port $primary cannot be copied:"
    cat "$dir/backup.log" >&2
    return 1
  fi
  postgres_configure "$dir" cluster_name=standby || return 1
  if [ -z "$port" ]; then
    postgres_launch_on_free_port "$dir"
  elif postgres_launch "$dir" "$port"; then
    PG_PORT=$port
  else
    postgres_say "the standby does not start on port $port:"
    cat "$dir/launch.log" "$dir/server.log" >&2 || true
    return 1
  fi
}

postgres_promote() {
  postgres_as_user "$PG_BIN/pg_ctl" promote -D "$1/data" -w -t 60 >/dev/null
}

postgres_kill() {
  postgres_as_user "$PG_BIN/pg_ctl" stop -D "$1/data" -m immediate -w -t 30 >/dev/null
}

postgres_launch_on_free_port() {
  local dir=$1 try
  # Another process may take the port between the check and the start, so try again.
  for try in 1 2 3 4 5 6 7 8 9 10; do
    PG_PORT=$(postgres_free_port) || return 1
    if postgres_launch "$dir" "$PG_PORT"; then
      return 0
    fi
    if ! grep -qE 'could not bind|could not create any TCP/IP sockets|Address already in use' "$dir/server.log"; then
      break
    fi
    postgres_say "port $PG_PORT was taken meanwhile (try $try)"
  done
  postgres_say 'the server does not start:'
  cat "$dir/launch.log" "$dir/server.log" >&2 || true
  return 1
}

postgres_make_folder() {
  local dir=$1
  mkdir -p "$dir" || return 1
  chmod 700 "$dir"
  if [ "$(id -u)" -eq 0 ]; then
    chown "$(postgres_user)" "$dir" || return 1
  fi
  if ! postgres_as_user test -w "$dir"; then
    postgres_say "the server's user cannot write to $dir; set TMPDIR to a folder open to all"
    return 1
  fi
}

postgres_init() {
  local dir=$1 locale
  # Not every system has C.UTF-8, and C sorts text the same way.
  for locale in C.UTF-8 C; do
    if postgres_as_user "$PG_BIN/initdb" -D "$dir/data" -U postgres --auth=trust \
      --encoding=UTF8 --locale="$locale" --no-sync >"$dir/init.log" 2>&1; then
      return 0
    fi
  done
  postgres_say 'initdb failed:'
  cat "$dir/init.log" >&2
  return 1
}

# Settings go into the file, where they need no quoting for a shell.
postgres_configure() {
  local dir=$1 setting socket_folder=$1
  shift
  # A socket's path may have no more than about 100 characters; TCP does without it.
  if [ "${#dir}" -gt 80 ]; then
    socket_folder=
  fi
  for setting in listen_addresses=127.0.0.1 "unix_socket_directories=$socket_folder" \
    log_timezone=UTC timezone=UTC "$@"; do
    printf "%s = '%s'\n" "${setting%%=*}" "$(printf '%s' "${setting#*=}" | sed "s/'/''/g")"
  done >>"$dir/data/postgresql.conf"
}

# The range is below the ports that systems give to outgoing connections.
postgres_free_port() {
  local port try
  for try in {1..100}; do
    port=$((15000 + RANDOM % 15000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      printf '%s\n' "$port"
      return 0
    fi
  done
  postgres_say "no free port found in $try tries"
  return 1
}

postgres_launch() (
  dir=$1 port=$2
  # A signal that ended pg_ctl halfway could leave an unknown server behind; the
  # server sets its own handlers.
  trap '' HUP INT TERM
  rm -f "$dir/server.log"
  postgres_as_user "$PG_BIN/pg_ctl" start -D "$dir/data" -l "$dir/server.log" -w -t 60 \
    -o "-p $port" </dev/null >"$dir/launch.log" 2>&1
)

postgres_stop() {
  local dir=$1
  # The server's own file names it, and is gone once the server is.
  if [ ! -e "$dir/data/postmaster.pid" ]; then
    return 0
  fi
  postgres_as_user "$PG_BIN/pg_ctl" stop -D "$dir/data" -m fast -w -t 20 >/dev/null 2>&1 ||
    postgres_as_user "$PG_BIN/pg_ctl" stop -D "$dir/data" -m immediate -w -t 20 >/dev/null 2>&1 ||
    [ ! -e "$dir/data/postmaster.pid" ] || {
    postgres_say "the server in $dir does not stop"
    return 1
  }
}
