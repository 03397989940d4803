# shellcheck shell=bash
#
# Compares this build with another one, in turns on the same machine. To be sourced by
# scripts/bench, whose functions and variables it uses.
#
# Both servers run at the same time, each on a database of its own that it migrates itself
# and that is filled through its API, so that the two need not share a schema. A turn is
# short, and the build that begins alternates: neighbouring turns meet the same machine. Each
# ratio is the median of the ratios of neighbouring turns. Two processes of one build can
# differ by a third for as long as they live: both servers are started anew every few turns.

# The number of turns after which caches are warmed anew, by what `renew BUILD` starts anew.
turns_of_a_process=3
renew=:

declare -A build_of server_of address_of url_of name_of

# against BINARY: prints the table.
against() {
  build_of=([this]=$binary [other]=$1)
  if ! "$1" openapi >/dev/null 2>&1; then
    printf 'bench: %s is not a build of this service that runs here\n' "$1" >&2
    return 1
  fi
  renew=against_restart
  printf '\n%s turns of %s s of each build; a cell has the medians of this build and of the other one, then the\n' "$turns" "$seconds"
  printf 'median of the ratios of neighbouring turns, for the rate with its quartiles\n'
  turns_head
  against_on PostgreSQL
  against_on SQLite
}

turns_head() {
  printf '\n| Measure | Responses/s | Median, ms | p99, ms | Server, µs a line | PostgreSQL backends, µs a line | Write-ahead log, bytes a line | Disk, bytes a line |\n'
  printf '| --- |%s\n' "$(printf ' --- |%.0s' {1..7})"
}

# against_on DATABASE: every measure on databases of that kind.
against_on() {
  against_start this "$1"
  against_start other "$1"
  in_turns "$1: one client" 1 load 1 even CART- 1000
  in_turns "$1: refusals, 256 connections" 1 load 256 one SOLD-1 1
  in_turns "$1: one hot SKU, 256 connections" 1 load 256 one HOT-1 1
  in_turns "$1: 1,000 SKUs evenly, 256 connections" 1 load 256 even CART- 1000
  in_turns "$1: Zipf 1.0 over 10,000 SKUs, 256 connections" 1 load 256 zipf CART- 10000
  in_turns "$1: orders of 5 lines over 10,000 SKUs, 256 connections" 5 orders 256
  stop "${server_of[this]}"
  stop "${server_of[other]}"
}

# against_start BUILD DATABASE: starts a build on a database with stock.
against_start() {
  local binary=${build_of[$1]} url database_name
  start_stocked "$1_${2,,}" "$2"
  server_of[$1]=$server
  address_of[$1]=$address
  url_of[$1]=$url
  name_of[$1]=$database_name
}

# against_restart BUILD: starts a build anew on its database.
against_restart() {
  local binary=${build_of[$1]}
  stop "${server_of[$1]}"
  serve "${url_of[$1]}"
  server_of[$1]=$server
  address_of[$1]=$address
}

# in_turns NAME LINES COMMAND...: prints a row; each response to the command covers LINES lines.
in_turns() {
  local name=$1 turn build order
  local -A disk=() lines=([this]=0 [other]=0)
  for build in this other; do
    disk[$build]=$(disk_bytes "${url_of[$build]}")
  done
  for ((turn = 1; turn <= turns; turn++)); do
    order='this other'
    ((turn % 2)) || order='other this'
    if ((turn % turns_of_a_process == 1)); then
      for build in $order; do
        "$renew" "$build"
        # Connections and caches are cold: this turn does not count.
        one_turn 0 "$build" "${@:2}" >/dev/null
      done
    fi
    for build in $order; do
      one_turn "$turn" "$build" "${@:2}"
    done
  done >"$folder/turns"
  for build in this other; do
    disk[$build]=$(quotient $(($(disk_bytes "${url_of[$build]}") - disk[$build])) "${lines[$build]}")
  done
  awk -v name="$name" -v disk_this="${disk[this]}" -v disk_other="${disk[other]}" -f "$BENCH_LIB/turns.awk" "$folder/turns"
}

# one_turn TURN BUILD LINES COMMAND...: prints its figures for turns.awk.
one_turn() {
  server=${server_of[$2]} address=${address_of[$2]} database_name=${name_of[$2]}
  count_per_line "${@:3}"
  lines[$2]=$((lines[$2] + lines_sent))
  printf '%s %s %s %s %s %s %s %s\n' "$1" "$2" "$rate" "$median" "$p99" "${per_line[server]}" \
    "${per_line[backends]:-0}" "${per_line[wal]:-0}"
}
