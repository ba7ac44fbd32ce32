-- Calls that name a resource by its ARN, and whoever looks for one.
CREATE INDEX resource_arn ON resource (arn) WHERE arn <> '';
