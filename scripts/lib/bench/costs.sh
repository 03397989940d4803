# shellcheck shell=bash
#
# What a line costs: processor time of each process, write-ahead log and disk. To be
# sourced by scripts/bench, whose functions and variables it uses.

costs() {
  printf '\n| A line costs, µs of processor time | Lines/s | Load generator | HTTP threads | Engine threads | Other threads | PostgreSQL: backends | PostgreSQL: other processes | All | Write-ahead log, bytes | Disk, bytes |\n'
  printf '| --- |%s\n' "$(printf ' ---: |%.0s' {1..10})"
  costs_on PostgreSQL
  costs_on SQLite
}

costs_on() {
  start_stocked "costs_${1,,}" "$1"
  cost "$1: one hot SKU, 256 connections" 1 load 256 one HOT-1 1
  cost "$1: 1,000 SKUs evenly, 256 connections" 1 load 256 even CART- 1000
  cost "$1: orders of 5 lines over 10,000 SKUs, 256 connections" 5 orders 256
  cost "$1: bulk of 1,000 lines of one hot SKU, 4 connections" 1000 bulk 4 HOT-1 1000
  cost "$1: one client" 1 load 1 even CART- 1000
  cost "$1: refusals, 256 connections" 1 load 256 one SOLD-1 1
  stop "$server"
}

# cost NAME LINES COMMAND...: prints a row; each response to the command covers LINES lines.
cost() {
  local disk_before disk
  disk_before=$(disk_bytes "$url")
  count_per_line "${@:2}"
  disk=$(($(disk_bytes "$url") - disk_before))
  printf '| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n' "$1" "$((lines_sent / seconds))" \
    "${per_line[generator]}" "${per_line[http]}" "${per_line[engine]}" "${per_line[background]}" \
    "${per_line[backends]:-}" "${per_line[postgres]:-}" \
    "$(sum "${per_line[generator]}" "${per_line[server]}" "${per_line[backends]:-0}" "${per_line[postgres]:-0}")" \
    "${per_line[wal]:+$(quotient "${per_line[wal]}" 1)}" "$(quotient "$disk" "$lines_sent")"
}
