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

# add_more_stock: what the full table needs besides: 1,000 and 100,000 SKUs, and one SKU of
# 10,000 used-up batches and then 1,000 open ones.
add_more_stock() {
  add_batches EVEN- 1000 2000000000
  add_batches ZIPF- 100000 2000000000
  bodies 1 10000 '{"reference": "B-WIDE-&", "sku": "WIDE", "purchased_quantity": 5}' | post_all batch
  bodies 1 10000 '{"order_id": "USED-UP-&", "sku": "WIDE", "qty": 5}' | post_all allocations
  bodies 10001 11000 '{"reference": "B-WIDE-&", "sku": "WIDE", "purchased_quantity": 2000000000}' | post_all batch
}

# add_batches PREFIX COUNT UNITS: adds COUNT SKUs, each with one batch of UNITS units.
add_batches() {
  bodies 1 "$2" '{"reference": "B-'"$1"'&", "sku": "'"$1"'&", "purchased_quantity": '"$3"'}' | post_all batch
}

# bodies FROM TO TEMPLATE: a line for each number, which replaces & in the template.
bodies() {
  seq "$1" "$2" | sed "s|.*|$3|"
}

# post_all PATH: each line of the input as the body of a request, 128 requests at a time.
post_all() {
  sed "s|\"|\\\\\"|g; s|.*|url = \"$address/$1\"\njson = \"&\"\noutput = \"$folder/answer\"\nnext|" |
    sed '$d' >"$folder/requests" # no request follows the last one
  curl -sSf --no-progress-meter --parallel --parallel-max 128 -K "$folder/requests"
}

# post PATH JSON
post() {
  curl -sSf -o "$folder/answer" "$address/$1" --json "$2"
}
