"""Builds a small cloud at an endpoint and prints what its things are called.

Public rules judge it: two networks, one open to the internet; groups, instances
and volumes that are good and bad; users, roles and policies likewise.
"""
import json
import sys

import boto3

endpoint = sys.argv[1]


def client(service):
    return boto3.client(service, endpoint_url=endpoint, region_name='us-east-1',
                        aws_access_key_id='123456789012', aws_secret_access_key='any')


ec2, iam = client('ec2'), client('iam')
names = {}


def tags(kind, **pairs):
    return [{'ResourceType': kind, 'Tags': [{'Key': k, 'Value': v} for k, v in pairs.items()]}]


def network(name, cidr):
    vpc = ec2.create_vpc(CidrBlock=cidr + '.0.0/16')['Vpc']['VpcId']
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr + '.1.0/24', AvailabilityZone='us-east-1a')['Subnet']['SubnetId']
    names['vpc_' + name], names['subnet_' + name] = vpc, subnet
    return vpc, subnet


def group(name, vpc, *permissions):
    g = ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)['GroupId']
    if permissions:
        ec2.authorize_security_group_ingress(GroupId=g, IpPermissions=permissions)
    names['sg_' + name.replace('-', '_')] = g
    return g


def allow(protocol, port=None, cidr='0.0.0.0/0'):
    p = {'IpProtocol': protocol, 'IpRanges': [{'CidrIp': cidr}]}
    if port is not None:
        p.update(FromPort=port, ToPort=port)
    return p


def instance(name, subnet, groups):
    i = ec2.run_instances(
        ImageId='ami-12c6146b', MinCount=1, MaxCount=1, InstanceType='t3.micro', SubnetId=subnet, SecurityGroupIds=groups,
        TagSpecifications=tags('instance', Name=name))['Instances'][0]['InstanceId']
    names['i_' + name] = i
    return i


vpc, subnet = network('open', '10.1')
gateway = ec2.create_internet_gateway()['InternetGateway']['InternetGatewayId']
ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
table = ec2.describe_route_tables(Filters=[{'Name': 'vpc-id', 'Values': [vpc]}])['RouteTables'][0]['RouteTableId']
ec2.create_route(RouteTableId=table, DestinationCidrBlock='0.0.0.0/0', GatewayId=gateway)
ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={'Value': True})
closed_vpc, closed_subnet = network('closed', '10.2')

web = group('web', vpc, allow('tcp', 443))
ssh = group('ssh', vpc, allow('tcp', 22))
anything = group('anything', vpc, allow('-1'))
wizard = group('launch-wizard-1', closed_vpc)
quiet = group('quiet', closed_vpc, allow('tcp', 443, '10.2.0.0/16'))
group('idle', closed_vpc)

instance('web', subnet, [web])
instance('ssh', subnet, [ssh])
instance('quiet', closed_subnet, [quiet])
instance('wizard', closed_subnet, [wizard])

for name, encrypted in (('plain', False), ('secret', True)):
    names['vol_' + name] = ec2.create_volume(AvailabilityZone='us-east-1a', Size=1, Encrypted=encrypted)['VolumeId']
ec2.create_snapshot(VolumeId=names['vol_secret'])

star = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]})
little = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': '*'}]})
logs = json.dumps({'Version': '2012-10-17', 'Statement': [{
    'Effect': 'Allow', 'Action': ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'], 'Resource': '*'}]})
trust = json.dumps({'Version': '2012-10-17', 'Statement': [{
    'Effect': 'Allow', 'Action': 'sts:AssumeRole', 'Principal': {'Service': 'lambda.amazonaws.com'}}]})
wide = iam.create_policy(PolicyName='wide', PolicyDocument=star)['Policy']['Arn']
narrow = iam.create_policy(PolicyName='narrow', PolicyDocument=little)['Policy']['Arn']
names['policy_narrow'] = narrow
for name, inline, attached in (('admin', star, []), ('boss', None, [wide]), ('reader', little, [narrow]), ('logger', logs, [])):
    names['role_' + name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)['Role']['RoleId']
    if inline:
        iam.put_role_policy(RoleName=name, PolicyName='inline', PolicyDocument=inline)
    for arn in attached:
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)

for name in ('alice', 'bob', 'carol-admin'):
    names['user_' + name.replace('-', '_')] = iam.create_user(UserName=name)['User']['UserId']
device = iam.create_virtual_mfa_device(VirtualMFADeviceName='alice')['VirtualMFADevice']['SerialNumber']
iam.enable_mfa_device(UserName='alice', SerialNumber=device, AuthenticationCode1='123456', AuthenticationCode2='654321')
iam.create_login_profile(UserName='bob', Password='Passw0rd!word')
iam.create_access_key(UserName='bob')
iam.attach_user_policy(UserName='alice', PolicyArn=narrow)
iam.put_user_policy(UserName='bob', PolicyName='inline', PolicyDocument=star)

logs_client = client('logs')
logs_client.create_log_group(logGroupName='/plain')
kms = client('kms')
for name in ('kept', 'doomed'):
    names['key_' + name] = kms.create_key()['KeyMetadata']['KeyId']
kms.schedule_key_deletion(KeyId=names['key_doomed'])
ec2.create_flow_logs(ResourceIds=[vpc], ResourceType='VPC', TrafficType='ALL', LogGroupName='/plain',
                     DeliverLogsPermissionArn='arn:aws:iam::123456789012:role/logger')
names['secret'] = client('secretsmanager').create_secret(Name='word', SecretString='x')['ARN']
print(json.dumps(names))
