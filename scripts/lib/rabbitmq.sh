# shellcheck shell=bash
#
# Private RabbitMQ brokers for tests and benchmarks. To be sourced, by bash 3.2 or
# later, under `set -euo pipefail`.
#
#   rabbitmq_find_or_install   sets RABBITMQ_BIN, the folder of rabbitmq-server
#   rabbitmq_start DIR         starts a broker that keeps all it has in DIR, or starts
#                              it again on the same port with what it had; its URL
#                              is in DIR/url then. With ca.pem, cert.pem and key.pem in
#                              DIR/tls, it also speaks TLS, at the URL in DIR/url.tls
#   rabbitmq_stop DIR          stops that broker, and no other
#   rabbitmq_kill DIR          ends it as a power cut would
#   rabbitmq_control DIR ...   runs a command of rabbitmqctl on it
#
# A broker listens on 127.0.0.1 only; its user is guest, so keep nothing there that
# matters. Start as many as you like, each in its own DIR. The caller removes DIR
# after rabbitmq_stop.

rabbitmq_say() {
  printf 'rabbitmq: %s\n' "$*" >&2
}

rabbitmq_find_or_install() {
  if rabbitmq_find; then
    return 0
  fi
  rabbitmq_install || return 1
  if ! rabbitmq_find; then
    rabbitmq_say 'installed, but rabbitmq-server is still not to be found; put its folder on PATH'
    return 1
  fi
}

# Sets RABBITMQ_BIN. What distributions put on PATH may be a wrapper that becomes the
# system's user and reads the system's settings; the broker's own script does neither.
rabbitmq_find() {
  local program target
  for program in /usr/lib/rabbitmq/bin/rabbitmq-server /usr/libexec/rabbitmq/rabbitmq-server \
    /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server /usr/lib/rabbitmq/sbin/rabbitmq-server \
    "$(command -v rabbitmq-server || true)"; do
    if [ -x "$program" ]; then
      target=$(readlink -f "$program" 2>/dev/null) || target=$program
      RABBITMQ_BIN=$(dirname "$target")
      return 0
    fi
  done
  return 1
}

rabbitmq_install() {
  if command -v brew >/dev/null; then
    rabbitmq_say 'no broker found; installing one with brew'
    brew install rabbitmq >&2
  elif command -v apt-get >/dev/null; then
    rabbitmq_say 'no broker found; installing one with apt-get'
    rabbitmq_install_by_apt
  elif command -v dnf >/dev/null; then
    rabbitmq_say 'no broker found; installing one with dnf'
    rabbitmq_as_root dnf install -y rabbitmq-server >&2
  elif command -v apk >/dev/null; then
    rabbitmq_say 'no broker found; installing one with apk'
    rabbitmq_as_root apk add rabbitmq-server >&2
  else
    rabbitmq_say 'no broker found, and none of brew, apt-get, dnf and apk to install one with;'
    rabbitmq_say 'install RabbitMQ 3.8 or later, with rabbitmq-server on PATH, and try again'
    return 1
  fi || {
    rabbitmq_say 'could not install a broker; install RabbitMQ 3.8 or later and try again'
    return 1
  }
}

# The package would start a broker of the system on port 5672, now and with every boot;
# nothing here needs that, so a machine that has not had the package is spared it.
rabbitmq_install_by_apt() {
  # Another install may hold the lock, such as a second run of the tests.
  local options=(-o DPkg::Lock::Timeout=300 -q) policy=/usr/sbin/policy-rc.d ours= status=0
  rabbitmq_as_root apt-get "${options[@]}" update >&2 || return 1
  if [ ! -e "$policy" ]; then
    ours=yes
    printf '#!/bin/sh\nexit 101\n' | rabbitmq_as_root tee "$policy" >/dev/null || return 1
    rabbitmq_as_root chmod 755 "$policy" || return 1
  fi
  rabbitmq_as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get "${options[@]}" install -y --no-install-recommends rabbitmq-server >&2 || status=$?
  if [ -n "$ours" ]; then
    rabbitmq_as_root rm -f "$policy"
  fi
  if [ "$status" -eq 0 ] && command -v systemctl >/dev/null; then
    rabbitmq_as_root systemctl --quiet disable rabbitmq-server >&2 || true
  fi
  return "$status"
}

rabbitmq_as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    rabbitmq_say "not root, and no sudo, for: $*"
    return 1
  fi
}

# rabbitmq_start DIR
rabbitmq_start() {
  local dir=$1 try
  mkdir -p "$dir" || return 1
  # Another process may take a port between the check and the start, so try again. A broker
  # that ran here before keeps its port, which its clients use.
  for try in 1 2 3 4 5; do
    rabbitmq_ports "$dir" || return 1
    if rabbitmq_launch "$dir"; then
      printf 'amqp://guest:guest@127.0.0.1:%s/%%2f\n' "$RABBITMQ_PORT" >"$dir/url"
      if [ -e "$dir/tls/key.pem" ]; then
        printf 'amqps://guest:guest@127.0.0.1:%s/%%2f\n' "$RABBITMQ_TLS_PORT" >"$dir/url.tls"
      fi
      return 0
    fi
    rabbitmq_kill "$dir"
    if [ -e "$dir/url" ] || ! grep -qisE 'eaddrinuse|address already in use' "$dir/epmd.log" "$dir/launch.log" "$dir"/log/*; then
      break
    fi
    rm -f "$dir/ports"
    rabbitmq_say "a port was taken meanwhile (try $try)"
  done
  rabbitmq_say 'the broker does not start:'
  tail -n 50 "$dir/launch.log" "$dir"/log/*.log >&2 || true
  return 1
}

# Four ports: for clients, for Erlang's own traffic, for Erlang's port mapper daemon, and for
# clients with TLS.
rabbitmq_ports() {
  local dir=$1
  if [ ! -e "$dir/ports" ]; then
    printf '%s %s %s %s\n' "$(rabbitmq_free_port)" "$(rabbitmq_free_port)" "$(rabbitmq_free_port)" \
      "$(rabbitmq_free_port)" >"$dir/ports" || return 1
  fi
  read -r RABBITMQ_PORT RABBITMQ_DIST_PORT RABBITMQ_EPMD_PORT RABBITMQ_TLS_PORT <"$dir/ports"
}

# The range is below the ports that systems give to outgoing connections.
rabbitmq_free_port() {
  local port try
  for try in {1..100}; do
    port=$((15000 + RANDOM % 15000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      printf '%s\n' "$port"
      return 0
    fi
  done
  rabbitmq_say "no free port found in $try tries"
  return 1
}

# Starts the broker and waits until it responds. It stays in the caller's process group,
# so that a signal to the group ends the broker.
rabbitmq_launch() {
  local dir=$1 pid try
  rabbitmq_configure "$dir" || return 1
  rabbitmq_run "$dir" "$(rabbitmq_epmd)" -port "$RABBITMQ_EPMD_PORT" </dev/null >"$dir/epmd.log" 2>&1 &
  printf '%s\n' "$!" >"$dir/epmd.pid"
  rabbitmq_run "$dir" "$RABBITMQ_BIN/rabbitmq-server" </dev/null >"$dir/launch.log" 2>&1 &
  pid=$!
  printf '%s\n' "$pid" >"$dir/launch.pid"
  for try in {1..1200}; do
    if rabbitmq_answers "$RABBITMQ_PORT"; then
      return 0
    fi
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.1
  done
  rabbitmq_say "no answer in $try tries"
  return 1
}

rabbitmq_configure() {
  local dir=$1
  mkdir -p "$dir/home" "$dir/log" "$dir/data" || return 1
  printf '[].\n' >"$dir/enabled_plugins"
  printf '%s\n' \
    "listeners.tcp.1 = 127.0.0.1:$RABBITMQ_PORT" \
    'loopback_users.guest = true' \
    'log.file.level = warning' \
    'disk_free_limit.absolute = 50MB' >"$dir/rabbitmq.conf"
  if [ -e "$dir/tls/key.pem" ]; then
    printf '%s\n' \
      "listeners.ssl.1 = 127.0.0.1:$RABBITMQ_TLS_PORT" \
      "ssl_options.cacertfile = $dir/tls/ca.pem" \
      "ssl_options.certfile = $dir/tls/cert.pem" \
      "ssl_options.keyfile = $dir/tls/key.pem" >>"$dir/rabbitmq.conf"
  fi
  : >"$dir/rabbitmq-env.conf"
}

# Runs a program of the broker as if there were no other broker on the machine: its own
# name, cookie, folders and daemon. Its threads do not spin while they wait, as others need
# the processor, and its own traffic stays on the machine.
rabbitmq_run() {
  local dir=$1
  shift
  cd / && exec env -u RABBITMQ_NODE_PORT -u RABBITMQ_USE_LONGNAME \
    HOME="$dir/home" \
    ERL_EPMD_PORT="$RABBITMQ_EPMD_PORT" ERL_EPMD_ADDRESS=127.0.0.1 \
    RABBITMQ_CONF_ENV_FILE="$dir/rabbitmq-env.conf" \
    RABBITMQ_NODENAME="test-$RABBITMQ_PORT@localhost" \
    RABBITMQ_DIST_PORT="$RABBITMQ_DIST_PORT" \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}' \
    RABBITMQ_BASE="$dir" RABBITMQ_MNESIA_BASE="$dir/data" RABBITMQ_LOG_BASE="$dir/log" \
    RABBITMQ_CONFIG_FILE="$dir/rabbitmq.conf" \
    RABBITMQ_ADVANCED_CONFIG_FILE="$dir/advanced.config" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$dir/enabled_plugins" \
    RABBITMQ_GENERATED_CONFIG_DIR="$dir/generated" \
    RABBITMQ_PID_FILE="$dir/pid" \
    "$@"
}

# rabbitmq_control DIR COMMAND...
rabbitmq_control() (
  dir=$1
  shift
  rabbitmq_ports "$dir" || exit 1
  rabbitmq_run "$dir" "$RABBITMQ_BIN/rabbitmqctl" --node "test-$RABBITMQ_PORT@localhost" "$@" </dev/null >"$dir/control.log" 2>&1 || {
    rabbitmq_say "rabbitmqctl $*:"
    cat "$dir/control.log" >&2
    exit 1
  }
)

# Erlang's daemon is on PATH, or where Erlang keeps its own programs.
rabbitmq_epmd() {
  local epmd
  for epmd in "$(command -v epmd || true)" /usr/lib/erlang/erts-*/bin/epmd /usr/lib64/erlang/erts-*/bin/epmd \
    /opt/homebrew/lib/erlang/erts-*/bin/epmd /usr/local/lib/erlang/erts-*/bin/epmd; do
    if [ -x "$epmd" ]; then
      printf '%s\n' "$epmd"
      return 0
    fi
  done
  rabbitmq_say 'epmd, a part of Erlang, is not to be found'
  return 1
}

# A listening port is not enough: it opens before the broker accepts logins. A broker
# replies to anything other than AMQP with its protocol version.
rabbitmq_answers() (
  exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
  printf 'AMQP\0\0\11\1' >&3
  [ -n "$(head -c 4 <&3 | tr -d '\0')" ]
) 2>/dev/null

rabbitmq_stop() {
  rabbitmq_end "$1" TERM
}

rabbitmq_kill() {
  rabbitmq_end "$1" KILL
}

# Ends the broker, then the daemon, each by its recorded id.
rabbitmq_end() {
  local dir=$1 signal=$2 file pid
  for file in pid launch.pid epmd.pid; do
    if [ -s "$dir/$file" ]; then
      pid=$(cat "$dir/$file")
      if rabbitmq_is_of "$dir" "$pid"; then
        rabbitmq_end_process "$pid" "$signal" || return 1
      fi
      rm -f "$dir/$file"
    fi
  done
}

# Whether a process belongs to the broker in DIR: another process may have its recorded
# id by now. The home that it was started with decides, where that can be read.
rabbitmq_is_of() {
  local environ=/proc/$2/environ
  [ -d /proc/self ] || return 0
  { tr '\0' '\n' <"$environ"; } 2>/dev/null | grep -xF "HOME=$1/home" >/dev/null
}

# Ends a process: sends a signal, waits for up to twenty seconds, then sends SIGKILL.
rabbitmq_end_process() {
  local pid=$1 signal=$2 try
  kill "-$signal" "$pid" 2>/dev/null || return 0
  for try in {1..400}; do
    if ! rabbitmq_is_running "$pid"; then
      # Keeps the shell that started it from reporting how it ended.
      wait "$pid" 2>/dev/null || true
      return 0
    fi
    sleep 0.05
  done
  rabbitmq_say "process $pid did not end in $try tries and is killed"
  kill -KILL "$pid" 2>/dev/null || true
}

# A process that has ended and is not yet waited for does not count as running.
rabbitmq_is_running() {
  local state
  if [ -d /proc/self ]; then
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 1
  else
    state=$(ps -o stat= -p "$1") || return 1
  fi
  [ "${state#Z}" = "$state" ]
}
