-- Queries that name an ARN.
CREATE INDEX resource_arn ON resource (arn) WHERE arn <> '';
