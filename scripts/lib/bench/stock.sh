# shellcheck shell=bash
#
# Stock that is added through the API, whatever the schema of the build. To be sourced by
# scripts/bench, whose functions and variables it uses.

# start_stocked NAME KIND: makes a database of PostgreSQL or SQLite with a hot SKU, 10,000
# SKUs for carts and one that is sold out, and starts a server on it; sets url,
# database_name (empty on SQLite), server and address.
start_stocked() {
  url=sqlite://$folder/$1.db
  database_name=
  if [ "$2" = PostgreSQL ]; then
    database_name=bench_$1
    "$PG_BIN/psql" -qX "$PG_URL" -c "CREATE DATABASE $database_name"
    url=${PG_URL%/*}/$database_name
  fi
  serve "$url"
  add_batches HOT- 1 2000000000
  add_batches CART- 10000 2000000000
  add_batches SOLD- 1 1
  post allocations '{"order_id": "LAST-UNIT", "sku": "SOLD-1", "qty": 1}'
  [ "$2" = SQLite ] || "$PG_BIN/psql" -qX "$url" -c 'VACUUM ANALYZE'
}

# add_batches PREFIX COUNT UNITS: so many SKUs, each with one batch of so many units.
add_batches() {
  local number
  for ((number = 1; number <= $2; number++)); do
    [ "$number" = 1 ] || printf 'next\n'
    printf 'url = "%s/batch"\njson = "{\\"reference\\": \\"B-%s\\", \\"sku\\": \\"%s\\", \\"purchased_quantity\\": %s}"\noutput = "%s"\n' \
      "$address" "$1$number" "$1$number" "$3" "$folder/answer"
  done >"$folder/requests"
  curl -sSf --no-progress-meter --parallel --parallel-max 16 -K "$folder/requests"
}

# post PATH JSON
post() {
  curl -sSf -o "$folder/answer" "$address/$1" --json "$2"
}
