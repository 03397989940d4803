# shellcheck shell=bash
#
# SQL that fills the tables, the same for SQLite and PostgreSQL. To be sourced.

# numbers N: a table n of the numbers from 1 to N.
numbers() {
  printf 'WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < %s)' "$1"
}

# skus PREFIX COUNT UNITS: so many SKUs, each with one batch of so many units.
skus() {
  cat <<SQL
INSERT INTO products (sku, version) $(numbers "$2") SELECT '$1' || n, 0 FROM n WHERE true;
INSERT INTO batch_references (reference, sku, purchased_quantity)
  $(numbers "$2") SELECT 'B-$1' || n, '$1' || n, $3 FROM n WHERE true;
INSERT INTO batches (sku, reference, purchased_quantity, allocated_quantity, eta, added_at)
  $(numbers "$2") SELECT '$1' || n, 'B-$1' || n, $3, 0, NULL, 1800000000000000 + n FROM n WHERE true;
SQL
}

# batches SKU FROM TO PURCHASED ALLOCATED: batches of one SKU, numbered.
batches() {
  local rows
  rows="$(numbers "$3") SELECT n FROM n WHERE n >= $2"
  cat <<SQL
INSERT INTO batch_references (reference, sku, purchased_quantity) SELECT 'B-$1-' || n, '$1', $4 FROM ($rows) AS rows;
INSERT INTO batches (sku, reference, purchased_quantity, allocated_quantity, eta, added_at)
  SELECT '$1', 'B-$1-' || n, $4, $5, NULL, 1800000000000000 + n FROM ($rows) AS rows;
SQL
}

# wide SKU: 10,000 used-up batches and then 1,000 open ones.
wide() {
  printf "INSERT INTO products (sku, version) VALUES ('%s', 0);\n" "$1"
  batches "$1" 1 10000 5 5
  batches "$1" 10001 11000 2000000000 0
}

# sold_out SKU: nothing but a used-up batch.
sold_out() {
  printf "INSERT INTO products (sku, version) VALUES ('%s', 0);\n" "$1"
  batches "$1" 1 1 5 5
}

# totals: what products count of their batches, for SKUs that were filled by hand.
totals() {
  cat <<SQL
UPDATE products SET in_stock = (
  SELECT coalesce(sum(purchased_quantity), 0) FROM batches WHERE batches.sku = products.sku AND eta IS NULL
);
SQL
}

# past: 1,000,000 allocations in 100,000 batches of as many SKUs.
past() {
  local line="'PAST-' || (1 + n % 100000)"
  skus PAST- 100000 1000
  cat <<SQL
UPDATE batches SET allocated_quantity = 10 WHERE sku LIKE 'PAST-%';
INSERT INTO order_lines (sku, order_id, quantity) $(numbers 1000000)
  SELECT $line, 'OLD-' || n, 1 FROM n WHERE true;
INSERT INTO allocations (sku, order_id, reference, quantity) $(numbers 1000000)
  SELECT $line, 'OLD-' || n, 'B-' || $line, 1 FROM n WHERE true;
INSERT INTO outbox (sku, version, ordinal, type, order_id, payload, occurred_at) $(numbers 1000000)
  SELECT $line, 1 + n / 100000, 0, 'allocated', 'OLD-' || n,
    '{"type":"allocated","order_id":"OLD-' || n || '","sku":"' || $line || '","reference":"B-' || $line
      || '","quantity":1,"line_quantity":1}', 1800000000000000 + n
  FROM n WHERE true;
SQL
}
