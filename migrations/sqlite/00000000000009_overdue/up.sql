-- Batches that are expected, by the day: those before today are overdue. Batches in stock, and what an
-- allocation changes, have no entry here.
CREATE INDEX batches_due ON batches (eta, added_at, reference) WHERE eta IS NOT NULL;
CREATE INDEX batches_due_by_sku ON batches (sku, eta, added_at, reference) WHERE eta IS NOT NULL;
