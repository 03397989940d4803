# shellcheck shell=bash
#
# Throughput by connections, as a table and a chart. To be sourced by scripts/bench, whose
# functions and variables it uses. The yardstick is one-by-one.sql on the same tables.

connections() {
  local clients
  printf '\n| Connections | One hot SKU | 1,000 SKUs | One transaction each: one SKU | One transaction each: 1,000 SKUs |\n| ---: |%s\n' \
    "$(printf ' ---: |%.0s' {1..4})"
  start_stocked connections PostgreSQL
  add_batches EVEN- 1000 2000000000
  for clients in 1 4 16 64 256; do
    connections_row "$clients"
  done
  stop "$server"
  [ -z "$chart" ] || awk -f "$BENCH_LIB/chart.awk" "$BENCH_LIB/peers.tsv" "$folder/points" >"$chart"
}

# connections_row CLIENTS: prints a row, and the points of the chart into a file.
connections_row() {
  local rates=()
  load "$1" one HOT-1 1 && rates+=("$rate")
  load "$1" even EVEN- 1000 && rates+=("$rate")
  one_by_one 1 "$1" && rates+=("$rate")
  one_by_one 1000 "$1" && rates+=("$rate")
  printf '| %s | %s/s | %s/s | %s/s | %s/s |\n' "$1" "${rates[@]}"
  printf 'point\t%s\t%s\t%s\n' 'one hot SKU' "$1" "${rates[0]}" '1,000 SKUs' "$1" "${rates[1]}" \
    'one transaction each, one SKU' "$1" "${rates[2]}" 'one transaction each, 1,000 SKUs' "$1" "${rates[3]}" >>"$folder/points"
}
