# Makes the resources that TestDiscoverReadsALiveEndpoint reads. The argument is the endpoint.
import json
import sys

import boto3


def client(name):
    return boto3.client(
        name, endpoint_url=sys.argv[1], region_name="us-east-1",
        aws_access_key_id="123456789012", aws_secret_access_key="test",
    )


ec2, s3, iam, sns, sqs, ddb = (client(n) for n in ("ec2", "s3", "iam", "sns", "sqs", "dynamodb"))

vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
image = ec2.describe_images()["Images"][0]["ImageId"]
instance = ec2.run_instances(
    ImageId=image, MinCount=2, MaxCount=2, SubnetId=subnet, SecurityGroupIds=[group],
)["Instances"][0]["InstanceId"]

s3.create_bucket(Bucket="here")
s3.create_bucket(Bucket="there", CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
s3.put_bucket_versioning(Bucket="here", VersioningConfiguration={"Status": "Enabled"})

policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]})
iam.create_role(RoleName="app", AssumeRolePolicyDocument=policy)
iam.put_role_policy(RoleName="app", PolicyName="inline", PolicyDocument=policy)
iam.create_user(UserName="alice")
iam.create_group(GroupName="admins")
iam.add_user_to_group(GroupName="admins", UserName="alice")

# More than one page of each.
for i in range(105):
    sns.create_topic(Name=f"topic-{i}")
    ddb.create_table(
        TableName=f"table-{i}", BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    )
sqs.create_queue(QueueName="work")

ec2.revoke_security_group_egress(
    GroupId=group, IpPermissions=ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"],
)
print(json.dumps({"vpc": vpc, "group": group, "instance": instance}))
