-- The items of all resources by time. The tables of months are made with the indexes that this one has.
CREATE INDEX item_by_time ON item (state_id, resource) WHERE NOT reference;
