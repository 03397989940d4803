# shellcheck shell=bash
#
# Compares this build with another one, in turns on the same machine. To be sourced by
# scripts/bench, whose functions and variables it uses.
#
# Each build has databases of its own, which it migrates itself and which are filled
# through its API, so that the two need not share a schema. Within a measure the builds
# take turns in the order this, other, other, this, so that a machine that grows slower
# or faster favours neither. Rates are noisy; processor time a line, by the kernel's
# accounting, is hardly.

# against BINARY: prints the table.
against() {
  this=$PWD/target/release/allocation
  other=$1
  if ! "$other" openapi >/dev/null 2>&1; then
    printf 'bench: %s is not a build of this service that runs here\n' "$other" >&2
    return 1
  fi
  printf '\n| Measure, in %s turns of %s s each | This build | Other build | Rate | p99, this and other | Server, µs a line | Database, µs a line |\n' "$((2 * turns))" "$seconds"
  printf '| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n'
  against_on PostgreSQL
  against_on SQLite
}

# against_on DATABASE: every measure on databases of that kind.
against_on() {
  local where=$1
  binary=$other && against_fill other
  binary=$this && against_fill this
  in_turns "$where: one hot SKU, 256 connections" 1 load 256 one HOT-1 1
  in_turns "$where: 1,000 SKUs evenly, 256 connections" 1 load 256 even CART- 1000
  in_turns "$where: Zipf 1.0 over 10,000 SKUs, 256 connections" 1 load 256 zipf CART- 10000
  in_turns "$where: one client" 1 load 1 even CART- 1000
  in_turns "$where: refusals, 256 connections" 1 load 256 one SOLD-1 1
  in_turns "$where: orders of 5 lines over 10,000 SKUs, 256 connections" 5 orders 256
}

# against_fill NAME: makes the database of a build and adds its batches.
against_fill() {
  url_of[$1]=sqlite://$folder/against_$1.db
  if [ "$where" = PostgreSQL ]; then
    "$PG_BIN/psql" -qX "$PG_URL" -c "CREATE DATABASE against_$1"
    url_of[$1]=${PG_URL%/*}/against_$1
  fi
  serve "${url_of[$1]}"
  {
    batch HOT-1 2000000000
    batch SOLD-1 1
    local number
    for number in {1..10000}; do
      batch "CART-$number" 2000000000
    done
  } | sed '$d' >"$folder/batches" # no request follows the last one
  curl -sSf --no-progress-meter -o "$folder/answer" --parallel --parallel-max 16 -K "$folder/batches"
  curl -sf -o "$folder/answer" "$address/allocations" --json '{"order_id": "LAST-UNIT", "sku": "SOLD-1", "qty": 1}'
  stop "$server"
  [ "$where" = SQLite ] || "$PG_BIN/psql" -qX "${url_of[$1]}" -c 'VACUUM ANALYZE'
}

# batch SKU UNITS: a request for curl's configuration.
batch() {
  printf 'url = "%s/batch"\njson = "{\\"reference\\": \\"B-%s\\", \\"sku\\": \\"%s\\", \\"purchased_quantity\\": %s}"\noutput = "%s"\nnext\n' \
    "$address" "$1" "$1" "$2" "$folder/answer"
}

# in_turns NAME LINES COMMAND...: a row; each response that the command counts is about so many lines.
in_turns() {
  local name=$1 lines=$2 turn build
  declare -A rates=() p99s=() server_time=() database_time=() count=()
  for ((turn = 0; turn < turns; turn++)); do
    for build in this other other this; do
      one_turn "$build" "$lines" "${@:3}"
    done
  done
  printf '| %s | %s | %s | %s | %s | %s | %s |\n' "$name" "$((rates[this] / turns / 2))/s" "$((rates[other] / turns / 2))/s" \
    "$(ratio "${rates[this]}" "${rates[other]}")" "$(ms "${p99s[this]}"), $(ms "${p99s[other]}")" \
    "$(compared server_time)" "$(compared database_time)"
}

# one_turn BUILD LINES COMMAND...
one_turn() {
  local build=$1 lines=$2 before after
  binary=${!build}
  serve "${url_of[$build]}"
  # The work of a build at its start is not part of its turn.
  sleep 1
  before=$(processor_times)
  "${@:3}"
  # So that the remaining work of the load, such as sequencing its events, is counted, too.
  sleep 1
  after=$(processor_times)
  stop "$server"
  read -r server_before database_before <<<"$before"
  read -r server_after database_after <<<"$after"
  rates[$build]=$((${rates[$build]:-0} + rate))
  p99s[$build]=$((p99 > ${p99s[$build]:-0} ? p99 : ${p99s[$build]:-0}))
  server_time[$build]=$((${server_time[$build]:-0} + server_after - server_before))
  database_time[$build]=$((${database_time[$build]:-0} + database_after - database_before))
  count[$build]=$((${count[$build]:-0} + rate * seconds * lines))
}

# processor_times: of the server, and of all processes of the database, in microseconds.
processor_times() {
  local postmaster database=0
  if [ "$where" = PostgreSQL ]; then
    postmaster=$(head -n 1 "$folder/postgres/data/postmaster.pid")
    # Processes that have ended count for their parent.
    database=$({ stat_of "$postmaster" 14 17; for pid in $(pgrep -P "$postmaster"); do stat_of "$pid" 14 15; done; } |
      awk '{sum += $1} END {printf "%d", sum}')
  fi
  printf '%s %s\n' "$(stat_of "$server" 14 15)" "$database"
}

# stat_of PID FIRST LAST: the sum of these fields of its times, in microseconds.
stat_of() {
  { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null || true; } |
    awk -v first="$2" -v last="$3" -v hz="$(getconf CLK_TCK)" \
      '{for (i = first - 2; i <= last - 2; i++) sum += $i; printf "%d\n", sum * 1000000 / hz}'
}

# compared TIMES: microseconds a line of both builds and their ratio.
compared() {
  local -n times=$1
  awk -v a="${times[this]}" -v b="${times[other]}" -v n="${count[this]}" -v m="${count[other]}" 'BEGIN {
    if (a * b * n * m == 0) { print ""; exit }
    printf "%.1f, %.1f: × %.2f", a / n, b / m, (a / n) / (b / m)
  }'
}

ratio() {
  awk -v a="$1" -v b="$2" 'BEGIN {printf "× %.2f", b ? a / b : 0}'
}
