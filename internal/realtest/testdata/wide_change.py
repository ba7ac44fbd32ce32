"""Changes what wide.py made: wide_change.py ENDPOINT change|delete|again.

Prints the type and id of each resource that is not what it was.
"""
import json
import sys

import boto3

endpoint, what = sys.argv[1:]
ACCOUNT, REGION = '123456789012', 'us-east-1'
QUEUE = 'https://sqs.us-east-1.amazonaws.com/%s/wide' % ACCOUNT


def client(service):
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION, aws_access_key_id=ACCOUNT, aws_secret_access_key='any')


done = []


def note(kind, identity):
    done.append({'type': kind, 'id': identity})


def tagged(service, operation, member):
    """Finds the one EC2 resource with our tag."""
    found = getattr(client(service), operation)(Filters=[{'Name': 'tag:owner', 'Values': ['wide']}])
    return found[member][0]


def change():
    client('s3').put_bucket_versioning(Bucket='wide', VersioningConfiguration={'Status': 'Suspended'})
    note('AWS::S3::Bucket', 'wide')
    volume = tagged('ec2', 'describe_volumes', 'Volumes')['VolumeId']
    client('ec2').create_tags(Resources=[volume], Tags=[{'Key': 'more', 'Value': 'yes'}])
    note('AWS::EC2::Volume', volume)
    topic = 'arn:aws:sns:%s:%s:wide' % (REGION, ACCOUNT)
    client('sns').set_topic_attributes(TopicArn=topic, AttributeName='DisplayName', AttributeValue='Wide')
    note('AWS::SNS::Topic', topic)
    client('sqs').set_queue_attributes(QueueUrl=client('sqs').get_queue_url(QueueName='wide')['QueueUrl'],
                                       Attributes={'VisibilityTimeout': '77'})
    note('AWS::SQS::Queue', QUEUE)
    client('logs').put_retention_policy(logGroupName='wide', retentionInDays=7)
    note('AWS::Logs::LogGroup', 'wide')
    client('ecr').put_image_tag_mutability(repositoryName='wide', imageTagMutability='IMMUTABLE')
    note('AWS::ECR::Repository', 'wide')
    client('dynamodb').tag_resource(ResourceArn='arn:aws:dynamodb:%s:%s:table/wide' % (REGION, ACCOUNT),
                                    Tags=[{'Key': 'more', 'Value': 'yes'}])
    note('AWS::DynamoDB::Table', 'wide')
    client('rds').modify_db_instance(DBInstanceIdentifier='wide', DeletionProtection=True, ApplyImmediately=True)
    note('AWS::RDS::DBInstance', client('rds').describe_db_instances()['DBInstances'][0]['DbiResourceId'])
    client('stepfunctions').tag_resource(resourceArn='arn:aws:states:%s:%s:activity:wide' % (REGION, ACCOUNT),
                                         tags=[{'key': 'more', 'value': 'yes'}])
    note('AWS::StepFunctions::Activity', 'arn:aws:states:%s:%s:activity:wide' % (REGION, ACCOUNT))


def delete():
    client('sqs').delete_queue(QueueUrl=client('sqs').get_queue_url(QueueName='wide')['QueueUrl'])
    note('AWS::SQS::Queue', QUEUE)
    client('dynamodb').delete_table(TableName='wide')
    note('AWS::DynamoDB::Table', 'wide')
    client('logs').delete_log_group(logGroupName='wide')
    note('AWS::Logs::LogGroup', 'wide')
    client('ecr').delete_repository(repositoryName='wide', force=True)
    note('AWS::ECR::Repository', 'wide')
    volume = tagged('ec2', 'describe_volumes', 'Volumes')['VolumeId']
    client('ec2').delete_volume(VolumeId=volume)
    note('AWS::EC2::Volume', volume)
    client('kinesis').delete_stream(StreamName='wide')
    note('AWS::Kinesis::Stream', 'wide')
    client('glue').delete_job(JobName='wide')
    note('AWS::Glue::Job', 'wide')
    client('elb').delete_load_balancer(LoadBalancerName='wide-old')
    note('AWS::ElasticLoadBalancing::LoadBalancer', 'wide-old')
    client('rds').delete_db_snapshot(DBSnapshotIdentifier='wide-s')
    note('AWS::RDS::DBSnapshot', 'wide-s')
    pool = client('cognito-idp').list_user_pools(MaxResults=10)['UserPools'][0]['Id']
    client('cognito-idp').delete_user_pool(UserPoolId=pool)
    note('AWS::Cognito::UserPool', pool)


def again():
    client('sqs').create_queue(QueueName='wide')
    note('AWS::SQS::Queue', QUEUE)
    client('dynamodb').create_table(TableName='wide', KeySchema=[{'AttributeName': 'k', 'KeyType': 'HASH'}], BillingMode='PAY_PER_REQUEST',
                                    AttributeDefinitions=[{'AttributeName': 'k', 'AttributeType': 'S'}])
    note('AWS::DynamoDB::Table', 'wide')
    client('logs').create_log_group(logGroupName='wide')
    note('AWS::Logs::LogGroup', 'wide')


{'change': change, 'delete': delete, 'again': again}[what]()
print(json.dumps({'done': done}))
