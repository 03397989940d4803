DROP TABLE shipment_lines;
DROP TABLE shipments;
ALTER TABLE pick_list_lines DROP COLUMN shipped;
ALTER TABLE archived_pick_lines DROP COLUMN shipped;
