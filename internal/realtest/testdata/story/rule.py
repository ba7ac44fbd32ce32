import json

import boto3

config = boto3.client("config")


def handler(event, context):
    item = json.loads(event["invokingEvent"])["configurationItem"]
    versioned = item["supplementaryConfiguration"].get("BucketVersioningConfiguration", {}).get("status") == "Enabled"
    config.put_evaluations(ResultToken=event["resultToken"], Evaluations=[{
        "ComplianceResourceType": item["resourceType"], "ComplianceResourceId": item["resourceId"],
        "OrderingTimestamp": item["configurationItemCaptureTime"],
        "ComplianceType": "COMPLIANT" if versioned else "NON_COMPLIANT", "Annotation": "versioning" if versioned else "no versioning"}])
