-- A correction whose lines are still being moved stays where it is: a batch that is being lowered keeps
-- what it has by then.
DROP INDEX batches_moving;
ALTER TABLE batches DROP COLUMN moving;
DROP INDEX allocations_by_batch;
ALTER TABLE allocations DROP COLUMN placed_at;
ALTER TABLE allocations DROP COLUMN precedence;
CREATE INDEX allocations_by_batch ON allocations (reference, order_id);
