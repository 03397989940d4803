DROP VIEW all_events, events, outbox, allocations;
DROP TABLE
    heartbeat, leases, parked_events, relay, event_log, event_causes, event_keys, event_blocks,
    outbox_blocks, pick_list_lines, pick_lists, line_parts,
    order_lines, orders, batch_references, batches, products, schema_generation;
DROP AGGREGATE all_keys (integer[]);
DROP FUNCTION keep_allocated_batch;
