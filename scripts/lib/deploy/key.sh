# shellcheck shell=bash
#
# Requests with and without a key. To be sourced.

# check_key URL KEY: the service at the URL requires a key within five seconds, and accepts this one.
check_key() {
  local try status batch='{"reference": "B-1", "sku": "LAMP", "purchased_quantity": 1}'
  for try in {1..30}; do
    status=$(curl --silent --output /dev/null --write-out '%{http_code}' --max-time 30 "$1/batch")
    [ "$status" != 401 ] || break
    sleep 0.5
  done
  [ "$status" = 401 ] || fail "no key is required after $try tries: $status"
  curl --silent --show-error --fail-with-body --max-time 30 --header "authorization: Bearer $2" \
    --json "$batch" "$1/batch" || fail 'the key is refused'
  printf '\n'
}
