"""Makes resources of as many types as moto's server can at an endpoint.

Prints what there must be afterwards: a list of type, id and the value of the
tag "owner", which is null where the resource has none; and what this moto could
not make.
"""
import io
import json
import sys
import zipfile

import boto3

endpoint = sys.argv[1]
ACCOUNT, REGION = '123456789012', 'us-east-1'
made, failed = [], []


def client(service):
    return boto3.client(service, endpoint_url=endpoint, region_name=REGION,
                        aws_access_key_id=ACCOUNT, aws_secret_access_key='any')


class Clients:
    """A client of each service, made when it is first used."""

    def __getattr__(self, name):
        value = client(name.replace('_', '-').rstrip('-'))
        setattr(self, name, value)
        return value


aws = Clients()
LIST = [{'Key': 'owner', 'Value': 'wide'}]
LOWER = [{'key': 'owner', 'value': 'wide'}]
MAP = {'owner': 'wide'}
TRUST = json.dumps({'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Principal': {'Service': 'lambda.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]})
GRANT = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:GetObject', 'Resource': '*'}]})
STATES = json.dumps({'StartAt': 'A', 'States': {'A': {'Type': 'Pass', 'End': True}}})


def note(kind, identity, tagged=False):
    made.append({'type': kind, 'id': identity, 'owner': 'wide' if tagged else None})


def step(make):
    """Runs a part that makes resources. What moto cannot make is left out, and told."""
    try:
        make()
    except Exception as error:  # any: another version of moto may lack it
        failed.append('%s: %s' % (make.__name__, error))
    return make


def spec(kind):
    return [{'ResourceType': kind, 'Tags': LIST}]


kept = {}


@step
def network():
    vpc = aws.ec2.create_vpc(CidrBlock='10.9.0.0/16', TagSpecifications=spec('vpc'))['Vpc']['VpcId']
    note('AWS::EC2::VPC', vpc, True)
    kept['vpc'] = vpc
    kept['subnets'] = []
    for n, zone in enumerate(('a', 'b')):
        subnet = aws.ec2.create_subnet(VpcId=vpc, CidrBlock='10.9.%d.0/24' % n, AvailabilityZone=REGION + zone,
                                       TagSpecifications=spec('subnet'))['Subnet']['SubnetId']
        note('AWS::EC2::Subnet', subnet, True)
        kept['subnets'].append(subnet)
    kept['group'] = aws.ec2.create_security_group(GroupName='wide', Description='wide', VpcId=vpc,
                                                  TagSpecifications=spec('security-group'))['GroupId']
    note('AWS::EC2::SecurityGroup', kept['group'], True)


@step
def gateways():
    g = aws.ec2.create_internet_gateway(TagSpecifications=spec('internet-gateway'))['InternetGateway']['InternetGatewayId']
    note('AWS::EC2::InternetGateway', g, True)
    aws.ec2.attach_internet_gateway(InternetGatewayId=g, VpcId=kept['vpc'])
    e = aws.ec2.create_egress_only_internet_gateway(VpcId=kept['vpc'], TagSpecifications=spec('egress-only-internet-gateway'))
    note('AWS::EC2::EgressOnlyInternetGateway', e['EgressOnlyInternetGateway']['EgressOnlyInternetGatewayId'], True)
    a = aws.ec2.allocate_address(Domain='vpc', TagSpecifications=spec('elastic-ip'))
    note('AWS::EC2::EIP', a['AllocationId'], True)
    n = aws.ec2.create_nat_gateway(SubnetId=kept['subnets'][0], AllocationId=a['AllocationId'], TagSpecifications=spec('natgateway'))
    note('AWS::EC2::NatGateway', n['NatGateway']['NatGatewayId'], True)


@step
def vpn():
    c = aws.ec2.create_customer_gateway(Type='ipsec.1', BgpAsn=65000, IpAddress='203.0.113.9',
                                        TagSpecifications=spec('customer-gateway'))['CustomerGateway']['CustomerGatewayId']
    note('AWS::EC2::CustomerGateway', c, True)
    g = aws.ec2.create_vpn_gateway(Type='ipsec.1', TagSpecifications=spec('vpn-gateway'))['VpnGateway']['VpnGatewayId']
    note('AWS::EC2::VPNGateway', g, True)
    v = aws.ec2.create_vpn_connection(Type='ipsec.1', CustomerGatewayId=c, VpnGatewayId=g, TagSpecifications=spec('vpn-connection'))
    note('AWS::EC2::VPNConnection', v['VpnConnection']['VpnConnectionId'], True)


@step
def tables():
    t = aws.ec2.create_route_table(VpcId=kept['vpc'], TagSpecifications=spec('route-table'))['RouteTable']['RouteTableId']
    note('AWS::EC2::RouteTable', t, True)
    n = aws.ec2.create_network_acl(VpcId=kept['vpc'], TagSpecifications=spec('network-acl'))['NetworkAcl']['NetworkAclId']
    note('AWS::EC2::NetworkAcl', n, True)
    d = aws.ec2.create_dhcp_options(DhcpConfigurations=[{'Key': 'domain-name', 'Values': ['example.com']}],
                                    TagSpecifications=spec('dhcp-options'))['DhcpOptions']['DhcpOptionsId']
    note('AWS::EC2::DHCPOptions', d)  # moto forgets the tags
    p = aws.ec2.create_managed_prefix_list(PrefixListName='wide', MaxEntries=3, AddressFamily='IPv4', TagSpecifications=spec('prefix-list'))
    note('AWS::EC2::PrefixList', p['PrefixList']['PrefixListId'], True)


@step
def machines():
    i = aws.ec2.run_instances(ImageId='ami-12c6146b', MinCount=1, MaxCount=1, InstanceType='t3.micro', SubnetId=kept['subnets'][0],
                              SecurityGroupIds=[kept['group']], TagSpecifications=spec('instance'))['Instances'][0]['InstanceId']
    note('AWS::EC2::Instance', i, True)
    n = aws.ec2.create_network_interface(SubnetId=kept['subnets'][1], TagSpecifications=spec('network-interface'))
    note('AWS::EC2::NetworkInterface', n['NetworkInterface']['NetworkInterfaceId'], True)
    v = aws.ec2.create_volume(Size=8, AvailabilityZone=REGION + 'a', TagSpecifications=spec('volume'))['VolumeId']
    note('AWS::EC2::Volume', v, True)
    t = aws.ec2.create_launch_template(LaunchTemplateName='wide', LaunchTemplateData={'InstanceType': 't3.micro', 'ImageId': 'ami-12c6146b'},
                                       TagSpecifications=spec('launch-template'))
    kept['template'] = t['LaunchTemplate']['LaunchTemplateId']
    note('AWS::EC2::LaunchTemplate', kept['template'], True)
    h = aws.ec2.allocate_hosts(AvailabilityZone=REGION + 'a', InstanceType='m5.large', Quantity=1, TagSpecifications=spec('dedicated-host'))
    note('AWS::EC2::Host', h['HostIds'][0], True)


@step
def between():
    other = aws.ec2.create_vpc(CidrBlock='10.10.0.0/16')['Vpc']['VpcId']
    note('AWS::EC2::VPC', other)
    p = aws.ec2.create_vpc_peering_connection(VpcId=kept['vpc'], PeerVpcId=other, TagSpecifications=spec('vpc-peering-connection'))
    note('AWS::EC2::VPCPeeringConnection', p['VpcPeeringConnection']['VpcPeeringConnectionId'], True)
    e = aws.ec2.create_vpc_endpoint(VpcId=kept['vpc'], ServiceName='com.amazonaws.us-east-1.s3', TagSpecifications=spec('vpc-endpoint'))
    note('AWS::EC2::VPCEndpoint', e['VpcEndpoint']['VpcEndpointId'], True)
    aws.s3.create_bucket(Bucket='wide-flow')
    f = aws.ec2.create_flow_logs(ResourceIds=[kept['vpc']], ResourceType='VPC', TrafficType='ALL', LogDestinationType='s3',
                                 LogDestination='arn:aws:s3:::wide-flow')
    note('AWS::EC2::FlowLog', f['FlowLogIds'][0])
    g = aws.ec2.create_transit_gateway(TagSpecifications=spec('transit-gateway'))['TransitGateway']['TransitGatewayId']
    note('AWS::EC2::TransitGateway', g, True)
    a = aws.ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=g, VpcId=kept['vpc'], SubnetIds=kept['subnets'][:1])
    note('AWS::EC2::TransitGatewayAttachment', a['TransitGatewayVpcAttachment']['TransitGatewayAttachmentId'])
    t = aws.ec2.create_transit_gateway_route_table(TransitGatewayId=g)['TransitGatewayRouteTable']['TransitGatewayRouteTableId']
    note('AWS::EC2::TransitGatewayRouteTable', t)


@step
def identities():
    note('AWS::IAM::Role', aws.iam.create_role(RoleName='wide', AssumeRolePolicyDocument=TRUST, Tags=LIST)['Role']['RoleId'], True)
    kept['role'] = 'arn:aws:iam::%s:role/wide' % ACCOUNT
    note('AWS::IAM::User', aws.iam.create_user(UserName='wide', Tags=LIST)['User']['UserId'], True)
    note('AWS::IAM::Group', aws.iam.create_group(GroupName='wide')['Group']['GroupId'])
    note('AWS::IAM::Policy', aws.iam.create_policy(PolicyName='wide', PolicyDocument=GRANT)['Policy']['PolicyId'])
    aws.iam.add_user_to_group(GroupName='wide', UserName='wide')
    aws.iam.attach_role_policy(RoleName='wide', PolicyArn='arn:aws:iam::%s:policy/wide' % ACCOUNT)


@step
def bucket():
    aws.s3.create_bucket(Bucket='wide')
    aws.s3.put_bucket_tagging(Bucket='wide', Tagging={'TagSet': LIST})
    aws.s3.put_bucket_versioning(Bucket='wide', VersioningConfiguration={'Status': 'Enabled'})
    note('AWS::S3::Bucket', 'wide', True)


@step
def topic():
    kept['topic'] = aws.sns.create_topic(Name='wide', Tags=LIST)['TopicArn']
    note('AWS::SNS::Topic', kept['topic'], True)


@step
def queue():
    aws.sqs.create_queue(QueueName='wide', tags=MAP)
    note('AWS::SQS::Queue', 'https://sqs.us-east-1.amazonaws.com/%s/wide' % ACCOUNT, True)


@step
def function():
    code = io.BytesIO()
    with zipfile.ZipFile(code, 'w') as z:
        z.writestr('f.py', 'def handler(e, c): pass\n')
    aws.lambda_.create_function(FunctionName='wide', Runtime='python3.12', Role=kept['role'], Handler='f.handler',
                                Code={'ZipFile': code.getvalue()}, Tags=MAP)
    note('AWS::Lambda::Function', 'wide', True)


@step
def table():
    aws.dynamodb.create_table(TableName='wide', KeySchema=[{'AttributeName': 'k', 'KeyType': 'HASH'}], BillingMode='PAY_PER_REQUEST',
                              AttributeDefinitions=[{'AttributeName': 'k', 'AttributeType': 'S'}], Tags=LIST)
    note('AWS::DynamoDB::Table', 'wide', True)


@step
def key():
    kept['key'] = aws.kms.create_key(Description='wide', Tags=[{'TagKey': 'owner', 'TagValue': 'wide'}])['KeyMetadata']['KeyId']
    note('AWS::KMS::Key', kept['key'], True)
    aws.kms.create_alias(AliasName='alias/wide', TargetKeyId=kept['key'])
    note('AWS::KMS::Alias', 'alias/wide')


@step
def secret():
    note('AWS::SecretsManager::Secret', aws.secretsmanager.create_secret(Name='wide', SecretString='s', Tags=LIST)['ARN'], True)


@step
def databases():
    aws.rds.create_db_subnet_group(DBSubnetGroupName='wide', DBSubnetGroupDescription='wide', SubnetIds=kept['subnets'], Tags=LIST)
    note('AWS::RDS::DBSubnetGroup', 'wide', True)
    i = aws.rds.create_db_instance(DBInstanceIdentifier='wide', DBInstanceClass='db.t3.micro', Engine='postgres', AllocatedStorage=20,
                                   MasterUsername='root', MasterUserPassword='12345678', DBSubnetGroupName='wide', Tags=LIST)
    note('AWS::RDS::DBInstance', i['DBInstance']['DbiResourceId'], True)
    c = aws.rds.create_db_cluster(DBClusterIdentifier='wide-c', Engine='aurora-postgresql', MasterUsername='root',
                                  MasterUserPassword='12345678', Tags=LIST)
    note('AWS::RDS::DBCluster', c['DBCluster']['DbClusterResourceId'], True)
    aws.rds.create_db_snapshot(DBInstanceIdentifier='wide', DBSnapshotIdentifier='wide-s', Tags=LIST)
    note('AWS::RDS::DBSnapshot', 'wide-s', True)
    aws.rds.create_db_cluster_snapshot(DBClusterIdentifier='wide-c', DBClusterSnapshotIdentifier='wide-cs', Tags=LIST)
    note('AWS::RDS::DBClusterSnapshot', 'wide-cs', True)
    aws.rds.create_db_parameter_group(DBParameterGroupName='wide', DBParameterGroupFamily='postgres16', Description='wide', Tags=LIST)
    note('AWS::RDS::DBParameterGroup', 'wide')


@step
def warehouse():
    aws.redshift.create_cluster(ClusterIdentifier='wide', NodeType='ra3.large', MasterUsername='root', MasterUserPassword='Abcd12345',
                                Tags=LIST)
    note('AWS::Redshift::Cluster', 'wide', True)
    aws.redshift.create_cluster_parameter_group(ParameterGroupName='wide', ParameterGroupFamily='redshift-1.0', Description='w', Tags=LIST)
    note('AWS::Redshift::ClusterParameterGroup', 'wide', True)
    aws.redshift.create_cluster_subnet_group(ClusterSubnetGroupName='wide', Description='w', SubnetIds=kept['subnets'], Tags=LIST)
    note('AWS::Redshift::ClusterSubnetGroup', 'wide', True)


@step
def containers():
    aws.ecr.create_repository(repositoryName='wide', tags=LIST)
    note('AWS::ECR::Repository', 'wide', True)
    c = aws.ecs.create_cluster(clusterName='wide', tags=LOWER)['cluster']['clusterArn']
    note('AWS::ECS::Cluster', c, True)
    t = aws.ecs.register_task_definition(family='wide', containerDefinitions=[{'name': 'a', 'image': 'b', 'memory': 100}], tags=LOWER)
    note('AWS::ECS::TaskDefinition', t['taskDefinition']['taskDefinitionArn'], True)
    s = aws.ecs.create_service(cluster='wide', serviceName='wide', taskDefinition='wide', desiredCount=0, tags=LOWER)
    note('AWS::ECS::Service', s['service']['serviceArn'], True)


@step
def kubernetes():
    aws.eks.create_cluster(name='wide', roleArn=kept['role'], resourcesVpcConfig={'subnetIds': kept['subnets']}, tags=MAP)
    note('AWS::EKS::Cluster', 'wide', True)
    aws.eks.create_nodegroup(clusterName='wide', nodegroupName='wide-n', subnets=kept['subnets'], nodeRole=kept['role'], tags=MAP)
    aws.eks.create_fargate_profile(clusterName='wide', fargateProfileName='wide-f', podExecutionRoleArn=kept['role'],
                                   selectors=[{'namespace': 'a'}], tags=MAP)


@step
def files():
    f = aws.efs.create_file_system(CreationToken='wide', Tags=LIST)['FileSystemId']
    note('AWS::EFS::FileSystem', f, True)
    p = aws.efs.create_access_point(ClientToken='wide', FileSystemId=f, Tags=LIST)['AccessPointId']
    note('AWS::EFS::AccessPoint', p, True)


@step
def balancers():
    b = aws.elbv2.create_load_balancer(Name='wide', Subnets=kept['subnets'], Tags=LIST)['LoadBalancers'][0]['LoadBalancerArn']
    note('AWS::ElasticLoadBalancingV2::LoadBalancer', b, True)
    t = aws.elbv2.create_target_group(Name='wide', Protocol='HTTP', Port=80, VpcId=kept['vpc'], Tags=LIST)
    t = t['TargetGroups'][0]['TargetGroupArn']
    note('AWS::ElasticLoadBalancingV2::TargetGroup', t, True)
    n = aws.elbv2.create_listener(LoadBalancerArn=b, Protocol='HTTP', Port=80, DefaultActions=[{'Type': 'forward', 'TargetGroupArn': t}])
    note('AWS::ElasticLoadBalancingV2::Listener', n['Listeners'][0]['ListenerArn'])
    aws.elb.create_load_balancer(LoadBalancerName='wide-old', AvailabilityZones=[REGION + 'a'], Tags=LIST, Listeners=[
        {'Protocol': 'tcp', 'LoadBalancerPort': 80, 'InstancePort': 80}])
    note('AWS::ElasticLoadBalancing::LoadBalancer', 'wide-old', True)


@step
def scaling():
    aws.autoscaling.create_launch_configuration(LaunchConfigurationName='wide', ImageId='ami-12c6146b', InstanceType='t3.micro')
    c = aws.autoscaling.describe_launch_configurations()['LaunchConfigurations'][0]['LaunchConfigurationARN']
    note('AWS::AutoScaling::LaunchConfiguration', c)
    aws.autoscaling.create_auto_scaling_group(AutoScalingGroupName='wide', LaunchConfigurationName='wide', MinSize=0, MaxSize=1,
                                              VPCZoneIdentifier=kept['subnets'][0], Tags=[
                                                  {'Key': 'owner', 'Value': 'wide', 'PropagateAtLaunch': False,
                                                   'ResourceId': 'wide', 'ResourceType': 'auto-scaling-group'}])
    g = aws.autoscaling.describe_auto_scaling_groups()['AutoScalingGroups'][0]['AutoScalingGroupARN']
    note('AWS::AutoScaling::AutoScalingGroup', g, True)
    aws.autoscaling.put_scaling_policy(AutoScalingGroupName='wide', PolicyName='wide', PolicyType='SimpleScaling',
                                       AdjustmentType='ChangeInCapacity', ScalingAdjustment=1)
    note('AWS::AutoScaling::ScalingPolicy', aws.autoscaling.describe_policies()['ScalingPolicies'][0]['PolicyARN'])


@step
def watching():
    aws.cloudwatch.put_metric_alarm(AlarmName='wide', MetricName='m', Namespace='n', Statistic='Sum', Period=60, EvaluationPeriods=1,
                                    Threshold=1, ComparisonOperator='GreaterThanThreshold')
    note('AWS::CloudWatch::Alarm', 'wide')


@step
def logs():
    aws.logs.create_log_group(logGroupName='wide', tags=MAP)
    note('AWS::Logs::LogGroup', 'wide')


@step
def trail():
    aws.s3.create_bucket(Bucket='wide-trail')
    aws.cloudtrail.create_trail(Name='wide', S3BucketName='wide-trail', TagsList=LIST)
    note('AWS::CloudTrail::Trail', 'wide')


@step
def events():
    aws.events.create_event_bus(Name='wide')
    note('AWS::Events::EventBus', 'wide')
    note('AWS::Events::Rule', aws.events.put_rule(Name='wide', ScheduleExpression='rate(1 day)')['RuleArn'])


@step
def authority():
    a = aws.acm_pca.create_certificate_authority(CertificateAuthorityType='ROOT', Tags=LIST, CertificateAuthorityConfiguration={
        'KeyAlgorithm': 'RSA_2048', 'SigningAlgorithm': 'SHA256WITHRSA', 'Subject': {'CommonName': 'wide'}})
    note('AWS::ACMPCA::CertificateAuthority', a['CertificateAuthorityArn'], True)


@step
def zones():
    z = aws.route53.create_hosted_zone(Name='example.com.', CallerReference='wide')['HostedZone']['Id']
    note('AWS::Route53::HostedZone', z.split('/')[-1])


@step
def distribution():
    d = aws.cloudfront.create_distribution(DistributionConfig={
        'CallerReference': 'wide', 'Comment': 'wide', 'Enabled': True,
        'Origins': {'Quantity': 1, 'Items': [{'Id': 'o', 'DomainName': 'wide.s3.amazonaws.com', 'S3OriginConfig': {'OriginAccessIdentity': ''}}]},
        'DefaultCacheBehavior': {'TargetOriginId': 'o', 'ViewerProtocolPolicy': 'allow-all', 'MinTTL': 0,
                                 'ForwardedValues': {'QueryString': False, 'Cookies': {'Forward': 'none'}}}})
    note('AWS::CloudFront::Distribution', d['Distribution']['Id'])


@step
def apis():
    a = aws.apigateway.create_rest_api(name='wide', tags=MAP)['id']
    note('AWS::ApiGateway::RestApi', 'arn:aws:apigateway:%s::/restapis/%s' % (REGION, a), True)
    root = aws.apigateway.get_resources(restApiId=a)['items'][0]['id']
    aws.apigateway.put_method(restApiId=a, resourceId=root, httpMethod='GET', authorizationType='NONE')
    aws.apigateway.put_integration(restApiId=a, resourceId=root, httpMethod='GET', type='MOCK')
    aws.apigateway.create_deployment(restApiId=a, stageName='wide')
    note('AWS::ApiGateway::Stage', 'arn:aws:apigateway:%s::/restapis/%s/stages/wide' % (REGION, a))
    b = aws.apigatewayv2.create_api(Name='wide', ProtocolType='HTTP', Tags=MAP)['ApiId']
    note('AWS::ApiGatewayV2::Api', 'arn:aws:apigateway:%s::/apis/%s' % (REGION, b), True)
    aws.apigatewayv2.create_stage(ApiId=b, StageName='wide', Tags=MAP)


@step
def stack():
    s = aws.cloudformation.create_stack(StackName='wide', Tags=LIST, TemplateBody=json.dumps(
        {'Resources': {'Q': {'Type': 'AWS::SQS::Queue', 'Properties': {'QueueName': 'wide-stack'}}}}))
    note('AWS::CloudFormation::Stack', s['StackId'], True)


@step
def machine():
    m = aws.stepfunctions.create_state_machine(name='wide', definition=STATES, roleArn=kept['role'], tags=LOWER)
    note('AWS::StepFunctions::StateMachine', m['stateMachineArn'], True)
    note('AWS::StepFunctions::Activity', aws.stepfunctions.create_activity(name='wide', tags=LOWER)['activityArn'], True)


@step
def backups():
    aws.backup.create_backup_vault(BackupVaultName='wide', BackupVaultTags=MAP)  # not read: moto knows no policies of vaults
    p = aws.backup.create_backup_plan(BackupPlanTags=MAP, BackupPlan={'BackupPlanName': 'wide', 'Rules': [
        {'RuleName': 'r', 'TargetBackupVaultName': 'wide'}]})
    note('AWS::Backup::BackupPlan', p['BackupPlanId'], True)


@step
def documents():
    aws.ssm.create_document(Name='wide', DocumentType='Automation', DocumentFormat='JSON', Tags=LIST, Content=json.dumps(
        {'schemaVersion': '0.3', 'description': 'wide', 'mainSteps': [{'name': 's', 'action': 'aws:sleep', 'inputs': {'Duration': 'PT1S'}}]}))
    note('AWS::SSM::Document', 'wide', True)


@step
def searching():
    aws.opensearch.create_domain(DomainName='wide', TagList=LIST)
    note('AWS::OpenSearch::Domain', 'wide', True)


@step
def caches():
    aws.elasticache.create_cache_cluster(CacheClusterId='wide', Engine='redis', CacheNodeType='cache.t3.micro', NumCacheNodes=1, Tags=LIST)
    note('AWS::ElastiCache::CacheCluster', 'wide', True)
    aws.elasticache.create_replication_group(ReplicationGroupId='wide-g', ReplicationGroupDescription='w', Engine='redis', Tags=LIST)


@step
def streams():
    aws.kinesis.create_stream(StreamName='wide', ShardCount=1)
    aws.kinesis.add_tags_to_stream(StreamName='wide', Tags=MAP)
    note('AWS::Kinesis::Stream', 'wide', True)
    aws.firehose.create_delivery_stream(DeliveryStreamName='wide', Tags=LIST, ExtendedS3DestinationConfiguration={
        'RoleARN': kept['role'], 'BucketARN': 'arn:aws:s3:::wide'})
    note('AWS::KinesisFirehose::DeliveryStream', 'wide', True)


@step
def pipelines():
    aws.codebuild.create_project(name='wide', source={'type': 'S3', 'location': 'wide/x.zip'}, artifacts={'type': 'NO_ARTIFACTS'}, tags=LOWER,
                                 environment={'type': 'LINUX_CONTAINER', 'image': 'i', 'computeType': 'BUILD_GENERAL1_SMALL'},
                                 serviceRole=kept['role'])
    note('AWS::CodeBuild::Project', 'wide', True)
    aws.codedeploy.create_application(applicationName='wide', computePlatform='Server', tags=LIST)
    note('AWS::CodeDeploy::Application', 'wide', True)


@step
def pools():
    note('AWS::Cognito::UserPool', aws.cognito_idp.create_user_pool(PoolName='wide', UserPoolTags=MAP)['UserPool']['Id'], True)
    i = aws.cognito_identity.create_identity_pool(IdentityPoolName='wide', AllowUnauthenticatedIdentities=False)
    note('AWS::Cognito::IdentityPool', i['IdentityPoolId'])


@step
def queries():
    aws.athena.create_data_catalog(Name='wide', Type='GLUE', Tags=LIST)
    note('AWS::Athena::DataCatalog', 'wide', True)
    aws.glue.create_job(Name='wide', Role=kept['role'], Command={'Name': 'glueetl'}, Tags=MAP)
    note('AWS::Glue::Job', 'wide', True)


@step
def learning():
    aws.sagemaker.create_model(ModelName='wide', ExecutionRoleArn=kept['role'], PrimaryContainer={'Image': 'i'}, Tags=LIST)
    note('AWS::SageMaker::Model', 'arn:aws:sagemaker:%s:%s:model/wide' % (REGION, ACCOUNT), True)
    aws.sagemaker.create_notebook_instance(NotebookInstanceName='wide', InstanceType='ml.t3.medium', RoleArn=kept['role'], Tags=LIST)
    aws.sagemaker.create_endpoint_config(EndpointConfigName='wide', Tags=LIST, ProductionVariants=[
        {'VariantName': 'v', 'ModelName': 'wide', 'InitialInstanceCount': 1, 'InstanceType': 'ml.m5.large'}])


@step
def emr():
    c = aws.emr.run_job_flow(Name='wide', Instances={'InstanceCount': 1, 'MasterInstanceType': 'm5.xlarge', 'KeepJobFlowAliveWhenNoSteps': True},
                             JobFlowRole='r', ServiceRole='s', Tags=LIST)
    note('AWS::EMR::Cluster', c['JobFlowId'], True)


@step
def brokers():
    b = aws.mq.create_broker(BrokerName='wide', EngineType='ACTIVEMQ', EngineVersion='5.18', HostInstanceType='mq.t3.micro',
                             DeploymentMode='SINGLE_INSTANCE', PubliclyAccessible=False, AutoMinorVersionUpgrade=True, Tags=MAP,
                             Users=[{'Username': 'u', 'Password': '123456789012'}])
    note('AWS::AmazonMQ::Broker', b['BrokerId'], True)
    k = aws.kafka.create_cluster(ClusterName='wide', KafkaVersion='3.5.1', NumberOfBrokerNodes=2, Tags=MAP, BrokerNodeGroupInfo={
        'InstanceType': 'kafka.m5.large', 'ClientSubnets': kept['subnets']})
    note('AWS::MSK::Cluster', k['ClusterArn'])  # moto lists it without its tags


@step
def guards():
    note('AWS::GuardDuty::Detector', aws.guardduty.create_detector(Enable=True, Tags=MAP)['DetectorId'], True)


@step
def graph():
    g = aws.appsync.create_graphql_api(name='wide', authenticationType='API_KEY', tags=MAP)['graphqlApi']
    note('AWS::AppSync::GraphQLApi', g['apiId'], True)


@step
def batch():
    e = aws.batch.create_compute_environment(computeEnvironmentName='wide', type='UNMANAGED', serviceRole=kept['role'], tags=MAP)
    note('AWS::Batch::ComputeEnvironment', e['computeEnvironmentArn'], True)
    q = aws.batch.create_job_queue(jobQueueName='wide', priority=1, state='ENABLED', computeEnvironmentOrder=[
        {'order': 1, 'computeEnvironment': e['computeEnvironmentArn']}], tags=MAP)
    note('AWS::Batch::JobQueue', q['jobQueueArn'], True)


@step
def migration():
    aws.dms.create_replication_instance(ReplicationInstanceIdentifier='wide', ReplicationInstanceClass='dms.t3.micro', Tags=LIST)
    e = aws.dms.create_endpoint(EndpointIdentifier='wide-e', EndpointType='source', EngineName='mysql', Username='u', Password='p',
                                ServerName='s', Port=1, DatabaseName='d', Tags=LIST)
    note('AWS::DMS::Endpoint', e['Endpoint']['EndpointArn'], True)


@step
def transfer():
    s = aws.transfer.create_server(Tags=LIST)['ServerId']
    note('AWS::Transfer::Server', 'arn:aws:transfer:%s:%s:server/%s' % (REGION, ACCOUNT, s), True)


@step
def beans():
    aws.elasticbeanstalk.create_application(ApplicationName='wide', Tags=LIST)


print(json.dumps({'made': made, 'failed': failed}))
