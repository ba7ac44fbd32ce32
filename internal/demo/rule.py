"""Buckets that are tagged data=important keep the versions of their objects."""
import json

import boto3

config = boto3.client("config")


def judge(item):
    if item["configurationItemStatus"].startswith("ResourceDeleted"):
        return "NOT_APPLICABLE", None
    if item["tags"].get("data") != "important":
        return "NOT_APPLICABLE", None
    versioning = item["supplementaryConfiguration"].get("BucketVersioningConfiguration", {}).get("status")
    if versioning == "Enabled":
        return "COMPLIANT", None
    return "NON_COMPLIANT", f"The data is important, and versioning is {versioning or 'Off'}."


def handler(event, context):
    item = json.loads(event["invokingEvent"])["configurationItem"]
    verdict, annotation = judge(item)
    evaluation = {
        "ComplianceResourceType": item["resourceType"],
        "ComplianceResourceId": item["resourceId"],
        "ComplianceType": verdict,
        "OrderingTimestamp": item["configurationItemCaptureTime"],
    }
    if annotation:
        evaluation["Annotation"] = annotation
    config.put_evaluations(Evaluations=[evaluation], ResultToken=event["resultToken"])
