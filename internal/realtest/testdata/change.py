"""Changes the small cloud at an endpoint: change.py ENDPOINT close-egress GROUP."""
import sys

import boto3

endpoint, what, name = sys.argv[1:]
ec2 = boto3.client('ec2', endpoint_url=endpoint, region_name='us-east-1',
                   aws_access_key_id='123456789012', aws_secret_access_key='any')
if what == 'close-egress':
    rules = ec2.describe_security_groups(GroupIds=[name])['SecurityGroups'][0]['IpPermissionsEgress']
    ec2.revoke_security_group_egress(GroupId=name, IpPermissions=rules)
elif what == 'delete-volume':
    ec2.delete_volume(VolumeId=name)
print('{}')
