"""What a client of AWS Config does around one rule, with boto3. Arguments: the function's ARN, a bucket."""
import datetime
import json
import sys
import time

import boto3
from botocore.exceptions import ClientError

RULE = "story"
function_arn, bucket = sys.argv[1:]
config = boto3.client("config")


def fails(name, operation, **given):
    try:
        getattr(config, operation)(**given)
    except ClientError as failure:
        assert failure.response["Error"]["Code"] == name, failure
        known = getattr(config.exceptions, name, None) if name != "ValidationException" else None
        assert known is None or isinstance(failure, known), failure
        return
    raise AssertionError(f"{operation} did not fail with {name}")


def verdict():
    until = time.monotonic() + 30
    while time.monotonic() < until:
        for found in config.get_compliance_details_by_config_rule(ConfigRuleName=RULE)["EvaluationResults"]:
            if found["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"] == bucket:
                return found
        time.sleep(0.05)
    raise AssertionError("no verdict in 30 s")


fails("NoSuchConfigRuleException", "describe_config_rules", ConfigRuleNames=[RULE])
fails("ValidationException", "get_compliance_details_by_config_rule", ConfigRuleName=RULE, Limit=101)
fails("InvalidParameterValueException", "put_config_rule",
      ConfigRule={"ConfigRuleName": RULE, "Source": {"Owner": "AWS", "SourceIdentifier": "NO_SUCH_RULE"}})
config.put_config_rule(ConfigRule={
    "ConfigRuleName": RULE, "Description": "größer", "Scope": {"ComplianceResourceTypes": ["AWS::S3::Bucket"]},
    "Source": {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": function_arn,
               "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ConfigurationItemChangeNotification"}]}})
assert config.describe_config_rules(ConfigRuleNames=[RULE])["ConfigRules"][0]["Description"] == "größer"
found = verdict()
assert (found["ComplianceType"], found["Annotation"]) == ("NON_COMPLIANT", "no versioning"), found
now = datetime.datetime.now(datetime.timezone.utc)
assert abs(found["ResultRecordedTime"] - now) < datetime.timedelta(hours=1), found
item = config.get_resource_config_history(resourceType="AWS::S3::Bucket", resourceId=bucket)["configurationItems"][0]
assert json.loads(item["configuration"])["name"] == bucket, item
config.delete_config_rule(ConfigRuleName=RULE)
print("told")
