# shellcheck shell=bash
#
# Processor time by the kernel's accounting, write-ahead log and disk. To be sourced by
# scripts/bench, whose variables it uses.
#
# A counter is a line "ID GROUP VALUE". IDs are those of threads and processes. Values are
# nanoseconds, except for the group wal: bytes.

# counters SERVERS [DATABASE]: of the threads of servers and, on PostgreSQL, of their database.
counters() {
  local server
  for server in $1; do
    thread_counters "$server"
  done
  [ -z "${2:-}" ] || postgres_counters "$2"
}

thread_counters() {
  local task name time group
  for task in /proc/"$1"/task/*; do
    # A thread may have ended.
    { read -r name <"$task/comm" && read -r time _ <"$task/schedstat"; } 2>/dev/null || continue
    case $name in
      actix-*) group=http ;;
      allocate* | orders) group=engine ;;
      *) group=background ;;
    esac
    printf '%s %s %s\n' "${task##*/}" "$group" "$time"
  done
}

# postgres_counters DATABASE: the service's backends there, the processes of the whole
# server, and the position in the write-ahead log.
postgres_counters() {
  local id group value
  while read -r id group value; do
    if [ "$group" != wal ]; then
      { read -r value _ <"/proc/$id/schedstat"; } 2>/dev/null || continue
    fi
    printf '%s %s %s\n' "$id" "$group" "$value"
  done < <("$PG_BIN/psql" -qXAt -F ' ' "$PG_URL" -c "
    SELECT pid::text, CASE backend_type WHEN 'client backend' THEN 'backends' ELSE 'postgres' END, '' FROM pg_stat_activity
    WHERE backend_type <> 'client backend' OR datname = '$1' AND application_name LIKE 'allocation%'
    UNION ALL SELECT 'wal', 'wal', (pg_current_wal_lsn() - '0/0')::text")
  ended_counter
}

# Processes that have ended, such as autovacuum workers, count for the first process.
ended_counter() {
  local postmaster
  postmaster=$(head -n 1 "$folder/postgres/data/postmaster.pid")
  sed 's/^.*) //' "/proc/$postmaster/stat" |
    awk -v hz="$(getconf CLK_TCK)" '{printf "ended postgres %.0f\n", ($14 + $15) * 1e9 / hz}'
}

# count_per_line LINES COMMAND...: runs the command and, for what it adds to the counters
# of server and database_name, sets per_line[GROUP] in microseconds (wal: in bytes).
# LINES is the number of lines in a response.
count_per_line() {
  local group value
  counters "$server" "$database_name" >"$folder/before"
  "${@:2}"
  # The rest of the work, such as the sequencing of the last events, counts, too.
  sleep 0.3
  counters "$server" "$database_name" >"$folder/after"
  lines_sent=$((responses * $1))
  per_line=([generator]=$(quotient "$generator_time" "$lines_sent"))
  while read -r group value; do
    per_line[$group]=$value
  done < <(awk -v lines="$lines_sent" '
    NR == FNR {before[$1] = $3; next}
    {spent[$2] += ($3 - before[$1]) / ($2 == "wal" ? 1 : 1000)}
    END {for (group in spent) printf "%s %.2f\n", group, spent[group] / lines}
  ' "$folder/before" "$folder/after")
  per_line[server]=$(sum "${per_line[http]}" "${per_line[engine]}" "${per_line[background]}")
}

# disk_bytes URL: the size of all tables with their indexes, or of the file, after a checkpoint.
disk_bytes() {
  case $1 in
    sqlite://*)
      sqlite3 "${1#sqlite://}" 'PRAGMA wal_checkpoint(PASSIVE)' >/dev/null
      stat -c %s "${1#sqlite://}"
      ;;
    *)
      "$PG_BIN/psql" -qXAt "$1" -c 'VACUUM' -c 'CHECKPOINT' -c "
        SELECT sum(pg_total_relation_size(oid)) FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
      ;;
  esac
}
