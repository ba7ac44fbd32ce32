"""A rule on buckets as authors write them: versioning is on."""
import json

import boto3

config = boto3.client("config")


def handler(event, context):
    item = json.loads(event["invokingEvent"])["configurationItem"]
    versioning = item["supplementaryConfiguration"].get("BucketVersioningConfiguration", {}).get("status")
    config.put_evaluations(
        Evaluations=[{
            "ComplianceResourceType": item["resourceType"],
            "ComplianceResourceId": item["resourceId"],
            "ComplianceType": "COMPLIANT" if versioning == "Enabled" else "NON_COMPLIANT",
            "OrderingTimestamp": item["configurationItemCaptureTime"],
        }],
        ResultToken=event["resultToken"],
    )
