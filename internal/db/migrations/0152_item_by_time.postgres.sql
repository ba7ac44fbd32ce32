-- The items of all resources by time.
CREATE INDEX item_by_time ON item (state_id, resource) WHERE NOT reference;
