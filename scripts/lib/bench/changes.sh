# shellcheck shell=bash
#
# Orders that are changed, deliveries and returns. To be sourced by scripts/bench, whose
# functions and variables it uses. The database is that of start_stocked.

# lines_of_order UNITS: the lines of the orders of change_orders.
lines_of_order() {
  local line
  for line in 1 2 3 4 5; do
    printf '%s{"sku":"CART-%s","qty":%s}' "$([ "$line" = 1 ] || echo ,)" "$line" "$1"
  done
}

# change_orders CONNECTIONS: changes all 5 lines of one of 1,000 orders, from one unit to two and back.
change_orders() {
  runs=$((runs + 1))
  bodies 1 1000 '{"order_id": "CHANGED-'$runs'-&", "lines": ['"$(lines_of_order 1)"']}' | post_all orders
  generate "$1" -s "$BENCH_LIB/numbered.lua" "$address" -- "R$runs" PATCH "/orders/CHANGED-$runs-&" 1000 \
    '{"lines":['"$(lines_of_order 2)"']}' '{"lines":['"$(lines_of_order 1)"']}'
}

# return_units CONNECTIONS: returns a unit of one of 1,000 shipped orders of 1,000 units; it is a batch of its own.
return_units() {
  runs=$((runs + 1))
  bodies 1 1000 '{"order_id": "SHIPPED-'$runs'-&", "lines": [{"sku": "CART-&", "qty": 1000}]}' | post_all orders
  bodies 1 1000 '{"pick_list_id": "LIST-'$runs'-&", "order_ids": ["SHIPPED-'$runs'-&"]}' | post_all pick-lists
  bodies 1 1000 "LIST-$runs-&" | while read -r list; do
    post "pick-lists/$list/lines/1/pick" '{"qty": 1000}'
    post "pick-lists/$list/ship" '{}'
  done
  generate "$1" -s "$BENCH_LIB/numbered.lua" "$address" -- "R$runs" POST /returns 1000 \
    '{"return_id":"RET-#","order_id":"SHIPPED-'$runs'-&","lines":[{"sku":"CART-&","qty":1,"disposition":"restock"}]}'
}

# receive_in_part WHERE: half of a batch with 10,000 lines arrives: until the response, and until its lines are served.
receive_in_part() {
  local batch=INBOUND-$runs begun answered ended
  post batch '{"reference": "'"$batch"'", "sku": "'"$batch"'", "purchased_quantity": 10000, "eta": "2099-01-01"}'
  bodies 1 10000 '{"order_id": "ON-'"$batch"'-&", "sku": "'"$batch"'", "qty": 1}' | post_all allocations
  begun=${EPOCHREALTIME/[.,]/}
  post "batch/$batch/receipts" '{"receipt_id": "'"$batch"'", "qty": 5000}'
  answered=${EPOCHREALTIME/[.,]/}
  until curl -sSf "$address/batch/$batch" | grep -q '"allocated_quantity":5000,'; do
    sleep 0.05
  done
  ended=${EPOCHREALTIME/[.,]/}
  row "$1: half of a batch with 10,000 lines arrives, until the response" "$(ms $((answered - begun)))" '' '' ''
  row "$1: the same, until the last line is on the rest" "$(ms $((ended - begun)))" '' '' ''
}

# changes WHERE: the rows of this file.
changes() {
  change_orders 64
  row "$1: changes of orders of 5 lines, 64 connections" "$rate/s" "$(ms "$median")" "$(ms "$p99")" "$((rate * 5)) lines/s"
  return_units 64
  row "$1: returns of one unit, 64 connections" "$rate/s" "$(ms "$median")" "$(ms "$p99")" ''
  receive_in_part "$1"
}
