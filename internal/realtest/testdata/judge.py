"""A rule of a team's own: the tag named team must be what the parameter wants."""
import json

import boto3


def handler(event, context):
    item = json.loads(event['invokingEvent'])['configurationItem']
    right = item['tags'].get('team') == json.loads(event['ruleParameters'])['want']
    boto3.client('config').put_evaluations(ResultToken=event['resultToken'], Evaluations=[{
        'ComplianceResourceType': item['resourceType'],
        'ComplianceResourceId': item['resourceId'],
        'ComplianceType': 'COMPLIANT' if right else 'NON_COMPLIANT',
        'OrderingTimestamp': item['configurationItemCaptureTime'],
    }])
