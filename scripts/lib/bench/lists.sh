# shellcheck shell=bash
#
# The time of every list of the API, and the plans that PostgreSQL carried out for it. To
# be sourced by scripts/bench, whose functions and variables it uses.
#
# auto_explain, which comes with PostgreSQL, writes the plan of every statement to the log
# of the server. Statements that also run when nothing is asked are no part of a list.

lists() {
  local log=$folder/postgres/server.log list
  stop "$server"
  sql -c "ALTER DATABASE $database_name SET session_preload_libraries = 'auto_explain'" \
    -c "ALTER DATABASE $database_name SET auto_explain.log_min_duration = 0" \
    -c "ALTER DATABASE $database_name SET auto_explain.log_analyze = on" \
    -c "ALTER DATABASE $database_name SET auto_explain.log_timing = off" \
    -c "ALTER DATABASE $database_name SET auto_explain.log_buffers = on"
  serve "$url"
  logged sleep 5 >"$folder/idle"
  printf '\n| List | Median of 9 | Plans: rows of each node, the pages of 8 KiB that it read, executions in a request |\n| --- | ---: | --- |\n'
  while read -r list; do
    # The first requests of a connection are planned anew.
    ask "$list" >/dev/null
    logged ask "$list" >"$folder/asked"
    printf '| `GET %s` | %s | %s |\n' "$list" "$(ms "$(cat "$folder/times")")" \
      "$(awk -v asks=9 -f "$BENCH_LIB/plans.awk" "$folder/idle" "$folder/asked")"
  done < <(all_lists)
}

# All lists, by each index that they may use.
all_lists() {
  local last order
  last=$(curl -sS -o "$folder/answer" -w '%header{link}' "$address/events?limit=1000&after=500000" | sed 's/.*after=\([0-9]*\).*/\1/')
  order=$(curl -sS "$address/allocations?sku=CART-7&limit=1" | sed 's/.*"order_id":"\([^"]*\)".*/\1/')
  cat <<LISTS
/batch?limit=1000
/batch?sku=CART-7
/batch?overdue=true
/allocations?limit=1000
/allocations?sku=CART-7&limit=1000
/allocations?reference=B-CART-7&limit=1000
/allocations?order_id=$order
/orders?limit=1000
/orders?sku=CART-7&limit=1000
$(printf '/orders?status=%s&limit=1000\n' held allocated partially_allocated backordered picked partially_shipped shipped short expired cancelled closed)
/orders/$order
/orders/$order/history
/backorders?limit=1000
/backorders?sku=SOLD-1
/products?limit=1000
/products/CART-7
/products/CART-7/availability?qty=1
/pick-lists?limit=1000
$(printf '/pick-lists?status=%s\n' open picked shipped withdrawn)
/events?limit=1000&after=$last
/events?limit=1000&type=allocation.line.backordered.v1
/events?subject=orders/$order
/events?subject=batches/B-CART-7
LISTS
}

# ask PATH: nine times; leaves the median time in microseconds in the file times.
ask() {
  local urls=() try
  for try in {1..9}; do
    urls+=(-o "$folder/answer" "$address$1")
  done
  curl -sSf -w '%{time_total}\n' "${urls[@]}" | sort -n | awk '{a[NR] = $1} END {printf "%d", a[int((NR + 1) / 2)] * 1e6}' >"$folder/times"
}

# logged COMMAND...: what the command adds to the log of PostgreSQL.
logged() {
  local size
  size=$(stat -c %s "$log")
  "$@"
  tail -c "+$((size + 1))" "$log"
}
