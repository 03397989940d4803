# shellcheck shell=bash
#
# Many lines in one PostgreSQL database: how throughput develops while they are added, what
# they cost the measures, the state of the tables, and the lists. To be sourced by
# scripts/bench, whose functions and variables it uses.
#
# The lines are sent through the service, so that they lie in tables, indexes and the log
# of events as they do after months of use.

# rows LINES
rows() {
  start_stocked empty PostgreSQL
  local empty_server=$server empty_address=$address
  start_stocked rows PostgreSQL
  local full_server=$server full_address=$address
  fill_lines "$1"
  unusual_lines
  sql -c 'ANALYZE'
  printf '\n| Measure, in turns | An empty database | The full one | Full : empty | p99, empty | p99, full |\n| --- |%s\n' \
    "$(printf ' ---: |%.0s' {1..5})"
  beside_empty 'One hot SKU, 256 connections' load 256 one HOT-1 1
  beside_empty '1,000 SKUs evenly, 256 connections' load 256 even CART- 1000
  beside_empty 'Orders of 5 lines over 10,000 SKUs, 256 connections' orders 256
  beside_empty 'One client' load 1 even CART- 1000
  stop "$empty_server"
  server=$full_server address=$full_address
  tables_of_rows
  lists
  stop "$server"
}

# fill_lines LINES: adds at least LINES lines over 10,000 SKUs, and prints a row after each tenth.
fill_lines() {
  local lines=0 next=0
  printf '\n| Lines before | Lines/s | Median | p99 | PostgreSQL backends, µs a line |\n| ---: | ---: | ---: | ---: | ---: |\n'
  while [ "$lines" -lt "$1" ]; do
    count_per_line 1 load 256 even CART- 10000
    if [ "$lines" -ge "$next" ]; then
      printf '| %s | %s | %s | %s | %s |\n' "$lines" "$rate" "$(ms "$median")" "$(ms "$p99")" "${per_line[backends]}"
      next=$((next + $1 / 10))
    fi
    if [ "$((responses - refused))" -le 0 ]; then
      printf 'bench: no line was allocated\n' >&2
      return 1
    fi
    lines=$((lines + responses - refused))
  done
}

# Some lines of each status that lists select: held, backordered, cancelled, listed, shipped.
unusual_lines() {
  local number line
  for number in {1..50}; do
    line="[{\"sku\": \"CART-$number\", \"qty\": 1}]"
    post orders "{\"order_id\": \"HELD-$number\", \"hold_seconds\": 86400, \"lines\": $line}"
    post orders "{\"order_id\": \"FIRM-$number\", \"lines\": $line}"
    post orders "{\"order_id\": \"CANCELLED-$number\", \"lines\": $line}"
    curl -sSf -o "$folder/answer" -X DELETE "$address/orders/CANCELLED-$number"
    post orders "{\"order_id\": \"WAITS-$number\", \"on_shortage\": \"backorder\", \"lines\": [{\"sku\": \"SOLD-1\", \"qty\": 1}]}"
    post pick-lists "{\"pick_list_id\": \"PICK-$number\", \"order_ids\": [\"FIRM-$number\"]}"
  done
}

# beside_empty NAME COMMAND...: a row; short turns on both databases, medians.
beside_empty() {
  local seconds=2 turn
  local -A rates=() tails=()
  for turn in {1..9}; do
    address=$empty_address
    "${@:2}" && rates[empty]+="$rate " tails[empty]+="$p99 "
    address=$full_address
    "${@:2}" && rates[full]+="$rate " tails[full]+="$p99 "
  done
  printf '| %s | %s/s | %s/s | × %s | %s | %s |\n' "$1" "$(middle ${rates[empty]})" "$(middle ${rates[full]})" \
    "$(quotient "$(middle ${rates[full]})" "$(middle ${rates[empty]})")" \
    "$(ms "$(middle ${tails[empty]})")" "$(ms "$(middle ${tails[full]})")"
}

# Size, updates without an index entry (HOT), dead rows and the work of autovacuum.
tables_of_rows() {
  printf '\n| Table | Rows | Heap, bytes a row | Indexes, bytes a row | Updates | HOT | Dead rows | Autovacuum runs |\n| --- |%s\n' \
    "$(printf ' ---: |%.0s' {1..7})"
  sql -c "SELECT format('| %s | %s | %s | %s | %s | %s | %s | %s |', relname, n_live_tup,
      pg_table_size(relid) / n_live_tup, pg_indexes_size(relid) / n_live_tup, n_tup_upd,
      (100 * n_tup_hot_upd / nullif(n_tup_upd, 0)) || ' %', n_dead_tup, autovacuum_count)
    FROM pg_stat_user_tables WHERE n_live_tup >= 1000 ORDER BY pg_total_relation_size(relid) DESC"
}
