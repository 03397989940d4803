# shellcheck shell=bash
#
# The rows about events: the feed, and the relay to a broker. To be sourced by
# scripts/bench, whose functions and variables it uses.

events_on_postgres() {
  rabbitmq_start "$folder/rabbitmq"
  local amqp
  amqp=$(cat "$folder/rabbitmq/url")
  # Makes a durable queue for all events, and is gone again.
  timeout 3 target/release/consume-queue "$amqp" allocation.events bench >/dev/null || true
  start_stocked events PostgreSQL
  add_batches EVEN- 1000 2000000000
  stop "$server"
  beside_the_relay 'one hot SKU' one HOT-1 1
  beside_the_relay '1,000 SKUs evenly' even EVEN- 1000
  relay_backlog
  rabbitmq_stop "$folder/rabbitmq"
}

# beside_the_relay NAME HOW PREFIX COUNT: allocation without and with the relay, in turns.
beside_the_relay() {
  local without=0 with=0 worst=0 relayed=0 before turn
  for turn in 1 2 3; do
    serve "$url"
    load 256 "${@:2}"
    without=$((without + rate))
    stop "$server"
    # Events from the turn without the relay are not part of its backlog here.
    sql -c 'UPDATE relay SET checkpoint = last_position FROM event_log'
    serve "$url" --amqp-url "$amqp"
    before=$(checkpoint)
    load 256 "${@:2}"
    relayed=$((relayed + $(checkpoint) - before))
    with=$((with + rate))
    worst=$((p99 > worst ? p99 : worst))
    stop "$server"
  done
  row "PostgreSQL: $1, the relay running, 256 connections, $turn turns" "$((with / turn))/s" '' "$(ms "$worst")" \
    "$((100 * with / without)) % of without it; $((relayed / seconds / turn)) events/s relayed meanwhile"
}

checkpoint() {
  sql -c 'SELECT checkpoint FROM relay'
}

# The newest 300,000 events of the log once more, with nothing else to do.
relay_backlog() {
  sql -c 'UPDATE relay SET checkpoint = greatest(0, last_position - 300000) FROM event_log'
  serve "$url" --amqp-url "$amqp"
  local events rate
  read -r events rate < <(sql -F ' ' -c "$(cat "$BENCH_LIB/relayed.sql")" -c "SELECT events, rate FROM relayed")
  row 'PostgreSQL: relay of a backlog to RabbitMQ' "$rate events/s" '' '' "$events events measured"
  stop "$server"
}

# follow WHERE: the feed to one reader, in pages of 1,000, whose times are those of a page.
follow() {
  read_result < <(wrk -t1 -c1 -d"$seconds" -s "$BENCH_LIB/follow.lua" "$address/events?limit=1000")
  row "$1: feed to one reader, pages of 1,000" "$rate events/s" "$(ms "$median")" "$(ms "$p99")" ''
}
