# shellcheck shell=bash
#
# Compares two replicas with one, in turns on the same machine. To be sourced by
# scripts/bench, whose functions and variables it uses.

# replicas: prints the table. Each setup has a database of its own.
replicas() {
  replicas_start other
  replicas_start this
  serve "${url_of[this]}"
  server_of[this]+=" $server" address_of[this]+=" $address"
  printf '\n%s turns of %s s of each; a cell has the medians of two replicas and of one, then the median of the\n' "$turns" "$seconds"
  printf 'ratios of neighbouring turns, for the rate with its quartiles\n'
  turns_head
  in_turns 'One hot SKU, 256 connections' 1 spread 256 one HOT-1 1
  in_turns '1,000 SKUs evenly, 256 connections' 1 spread 256 even CART- 1000
  # shellcheck disable=SC2086 # a list
  for server in ${server_of[this]} ${server_of[other]}; do
    stop "$server"
  done
}

# replicas_start SETUP: starts the first replica on a database with stock.
replicas_start() {
  local url database_name
  start_stocked "replicas_$1" PostgreSQL
  server_of[$1]=$server
  address_of[$1]=$address
  url_of[$1]=$url
  name_of[$1]=$database_name
}

# spread CONNECTIONS HOW PREFIX COUNT: as load, half of it on each address if there are two.
spread() {
  local addresses
  read -ra addresses <<<"$address"
  if [ "${#addresses[@]}" = 1 ]; then
    load "$@"
  else
    both "${addresses[@]}" "${@:2}"
  fi
}
