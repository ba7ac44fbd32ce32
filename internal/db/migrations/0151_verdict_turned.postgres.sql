-- Since when a verdict is what it is, and what fails by when it began to.
ALTER TABLE verdict ADD COLUMN turned BIGINT NOT NULL DEFAULT 0;

UPDATE verdict SET turned = recorded;

CREATE INDEX verdict_failing ON verdict (rule, turned, resource) WHERE compliance = 2;
