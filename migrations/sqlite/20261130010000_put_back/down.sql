ALTER TABLE pick_list_lines DROP COLUMN put_back;
ALTER TABLE archived_pick_lines DROP COLUMN put_back;
