# shellcheck shell=bash
#
# Runs the program behind the reverse proxies of deploy/, on loopback. To be sourced.

proxy_processes=()

# check_proxies BINARY FOLDER
check_proxies() {
  local binary=$1 folder=$2
  available nginx nginx || return 0
  available caddy caddy || return 0
  available openssl openssl || return 0
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=stock.example \
    -addext subjectAltName=DNS:stock.example -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null
  local proxy
  for proxy in nginx caddy; do
    check_proxy "$proxy" "$binary" "$folder"
    stop_proxies
  done
}

# check_proxy PROXY BINARY FOLDER
check_proxy() {
  local proxy=$1 binary=$2 folder=$3 arguments
  # The command line that the configuration asks for, on free ports.
  arguments=$(sed -nE 's/^#   (--address .*)/\1/p' deploy/"$proxy"/* | sed -E 's/127.0.0.1:[0-9]+/127.0.0.1:0/g')
  # shellcheck disable=SC2086
  "$binary" serve --database-url memory: $arguments 2>"$folder/$proxy.service.log" &
  proxy_processes+=($!)
  local service
  service=$(wait_for "$folder/$proxy.service.log" 's|.*API at http://([0-9.:]+).*|\1|p')
  local https
  https=$(free_port)
  "start_$proxy" "$folder" "$service" "$https"
  exercise_proxy "$proxy" "$folder" "$https"
  echo "$proxy: in front of the program"
}

# start_nginx FOLDER SERVICE PORT
start_nginx() {
  local folder=$1
  sed -e "s|/etc/ssl/certs/stock.example.pem|$folder/cert.pem|; s|/etc/ssl/private/stock.example.key|$folder/key.pem|" \
    -e "s|127.0.0.1:8000|$2|; s|listen 80;|listen 127.0.0.1:$(free_port);|; s|listen 443 |listen 127.0.0.1:$3 |" \
    deploy/nginx/allocation.conf >"$folder/site.conf"
  {
    printf 'daemon off; pid %s/nginx.pid; events {} http { access_log off;\n' "$folder"
    local kind
    for kind in client_body proxy fastcgi uwsgi scgi; do
      printf '%s_temp_path %s/%s;\n' "$kind" "$folder" "$kind"
    done
    printf 'include %s/site.conf; }\n' "$folder"
  } >"$folder/nginx.conf"
  nginx -e "$folder/nginx.log" -c "$folder/nginx.conf" &
  proxy_processes+=($!)
}

# start_caddy FOLDER SERVICE PORT
start_caddy() {
  local folder=$1
  caddy validate --adapter caddyfile --config deploy/caddy/Caddyfile >"$folder/caddy.log" 2>&1
  {
    printf '{\n admin off\n auto_https disable_redirects\n http_port %s\n https_port %s\n' "$(free_port)" "$3"
    printf ' storage file_system %s/caddy\n}\n' "$folder"
    sed "s|127.0.0.1:8000|$2|; s|^stock.example {|&\n tls $folder/cert.pem $folder/key.pem|" deploy/caddy/Caddyfile
  } >"$folder/Caddyfile"
  caddy run --adapter caddyfile --config "$folder/Caddyfile" >>"$folder/caddy.log" 2>&1 &
  proxy_processes+=($!)
}

# Requests of a client that knows only the proxy: prefixes, odd names, long polls and streams arrive.
exercise_proxy() {
  local proxy=$1 folder=$2 url=https://stock.example:$3/allocation
  client=(curl --silent --show-error --max-time 60 --cacert "$folder/cert.pem" --resolve "stock.example:$3:127.0.0.1")
  "${client[@]}" --output /dev/null --retry 60 --retry-delay 1 --retry-all-errors --fail "$url/readyz" 2>/dev/null

  local batch='{"reference": "A/1", "sku": "LAMP", "purchased_quantity": 2}'
  "${client[@]}" --include --json "$batch" "$url/batch" | tr -d '\r' >"$folder/answer"
  expect "$proxy" "$folder/answer" '^location: /allocation/batch/A%2F1$'
  "${client[@]}" "$url/batch/A%2F1" >"$folder/answer"
  expect "$proxy" "$folder/answer" '"reference":"A/1"'
  "${client[@]}" "$url/nothing" >"$folder/answer"
  expect "$proxy" "$folder/answer" '"/allocation/problems/'
  "${client[@]}" --output /dev/null --write-out '%{http_code}\n' "$url/metrics" >"$folder/answer"
  expect "$proxy" "$folder/answer" '^404$'
  "${client[@]}" --include "$url/events?wait=5" | tr -d '\r' >"$folder/answer"
  expect "$proxy" "$folder/answer" '^link: </allocation/events'
  # A stream does not end: its first event must arrive all the same.
  { "${client[@]}" --no-buffer "$url/events/stream?after=0" 2>/dev/null || true; } | head -n 3 >"$folder/answer"
  expect "$proxy" "$folder/answer" '^event: allocation.batch.added.v1$'
  "${client[@]}" --output /dev/null --write-out '%{http_code} %{redirect_url}\n' "$url" >"$folder/answer"
  expect "$proxy" "$folder/answer" '^308 .*/allocation/$'
}

# expect PROXY FILE PATTERN
expect() {
  grep -qE "$3" "$2" || fail "behind $1, a response lacks $3: $(cat "$2")"
}

# wait_for FILE SCRIPT: what sed finds in a file, as soon as it does; 60 seconds at most.
wait_for() {
  local try found
  for try in {1..600}; do
    found=$(sed -nE "$2" "$1" | head -n 1)
    if [ -n "$found" ]; then
      echo "$found"
      return
    fi
    sleep 0.1
  done
  fail "nothing in $1 after $try tries: $(cat "$1")"
}

# A port that nothing listens on.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

stop_proxies() {
  local process
  for process in ${proxy_processes[@]+"${proxy_processes[@]}"}; do
    kill "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
  done
  proxy_processes=()
}
