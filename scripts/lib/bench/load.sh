# shellcheck shell=bash
#
# The load generator. To be sourced by scripts/bench, whose variables it uses.
#
# Every function sets rate (responses a second), median and p99 (microseconds), refused
# (responses of 400 and above), broken (connections that failed), responses (their number)
# and generator_time (processor time of the generator in microseconds), and adds to
# responses_in_all.

# generate CONNECTIONS ARGUMENT...: runs wrk against address for $seconds.
generate() {
  local threads=2 TIMEFORMAT='%3U %3S'
  [ "$1" = 1 ] && threads=1
  { time wrk -t"$threads" -c"$1" -d"$seconds" --timeout 10 "${@:2}" >"$folder/wrk" 2>&1; } 2>"$folder/wrk.time"
  read_result <"$folder/wrk"
  responses_in_all=$((responses_in_all + responses))
  generator_time=$(awk '{printf "%d", ($1 + $2) * 1000000}' "$folder/wrk.time")
}

# load CONNECTIONS HOW PREFIX COUNT: allocates standalone lines of one unit.
load() {
  runs=$((runs + 1))
  generate "$1" -s "$BENCH_LIB/allocate.lua" "$address" -- "R$runs" "$2" "$3" "$4"
}

# orders CONNECTIONS: places orders of 5 lines over 10,000 SKUs.
orders() {
  runs=$((runs + 1))
  generate "$1" -s "$BENCH_LIB/orders.lua" "$address" -- "R$runs" CART- 10000 5
}

# bulk CONNECTIONS SKU LINES: allocates standalone lines of one unit, LINES in each request.
bulk() {
  runs=$((runs + 1))
  generate "$1" -s "$BENCH_LIB/bulk.lua" "$address" -- "R$runs" "$2" "$3"
}

# get CONNECTIONS PATH: sends the same GET.
get() {
  generate "$1" -s "$BENCH_LIB/get.lua" "$address$2"
}

read_result() {
  local line
  line=$(grep '^RESULT') || { printf 'bench: the load generator failed\n' >&2 && return 1; }
  read -r _ rate median p99 refused broken responses <<<"$line"
  if [ "$broken" != 0 ]; then
    printf 'bench: %s broken connections or timeouts\n' "$broken" >&2
  fi
}
