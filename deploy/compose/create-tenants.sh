#!/usr/bin/env bash
#
# Creates the role and the database of each tenant in TENANTS that has none. A service of
# tenants.yaml runs this at every start; the PG* variables say where.
set -euo pipefail

PGPASSWORD=$(cat /secrets/superuser-password)
export PGPASSWORD

for name in $TENANTS; do
  psql --set ON_ERROR_STOP=1 --no-psqlrc --quiet --dbname postgres \
    --set name="$name" --set password="$(cat "/secrets/$name-password")" <<'SQL'
SELECT NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') AS is_new \gset
\if :is_new
CREATE ROLE :"name" LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
\endif
SQL
done
