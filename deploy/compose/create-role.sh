#!/usr/bin/env bash
#
# Creates the role of the service and its database. The container of compose.yaml runs
# this once, when its database cluster is new.
set -euo pipefail

# psql quotes the values of variables. The role is not a superuser, and cannot create
# roles or databases; it owns one database, so that it can migrate its schema.
psql --set ON_ERROR_STOP=1 --no-psqlrc --username postgres --dbname postgres \
  --set password="$(cat /secrets/password)" <<'SQL'
CREATE ROLE allocation LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
CREATE DATABASE allocation OWNER allocation;
REVOKE ALL ON DATABASE allocation FROM PUBLIC;
SQL
