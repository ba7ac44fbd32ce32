"""Makes a bucket, a topic, a queue and a function at an endpoint: elsewhere.py ENDPOINT."""
import io
import json
import sys
import zipfile

import boto3


def client(name):
    return boto3.client(name, endpoint_url=sys.argv[1], region_name='us-east-1',
                        aws_access_key_id='123456789012', aws_secret_access_key='any')


s3, sns, sqs, functions, iam = (client(name) for name in ('s3', 'sns', 'sqs', 'lambda', 'iam'))
for name, status in (('kept', 'Enabled'), ('lost', 'Suspended')):
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={'Status': status})
topic = sns.create_topic(Name='told', Attributes={'DisplayName': 'Told'})['TopicArn']
sqs.create_queue(QueueName='asked', Attributes={'VisibilityTimeout': '77'})
role = iam.create_role(RoleName='r', AssumeRolePolicyDocument='{}')['Role']['Arn']
code = io.BytesIO()
with zipfile.ZipFile(code, 'w') as z:
    z.writestr('x.py', 'def handler(event, context): pass')
functions.create_function(FunctionName='run', Runtime='python3.12', Role=role, Handler='x.handler',
                          Description='Runs', Code={'ZipFile': code.getvalue()})
print(json.dumps({'topic': topic}))
