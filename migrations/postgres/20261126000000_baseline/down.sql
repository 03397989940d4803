DROP VIEW all_events, allocations;
DROP TABLE
    heartbeat, leases, parked_events, relay, event_log, events, outbox, pick_list_lines, pick_lists, line_parts,
    order_lines, orders, batch_references, batches, products, schema_generation;
DROP FUNCTION keep_allocated_batch;
