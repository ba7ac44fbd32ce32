"""Goes through every list of AWS Config with boto3's paginators: page by page there must be what one large page has."""
import json
import boto3

config = boto3.client("config")
role = "arn:aws:iam::123456789012:role/config"

boto3.client("organizations").create_organization(FeatureSet="ALL")
boto3.client("s3").create_bucket(Bucket="lists")
config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "lists"})
config.start_configuration_recorder(ConfigurationRecorderName="default")
pack = 'Resources: {%s: {Type: "AWS::Config::ConfigRule", Properties: {ConfigRuleName: %s, Source: {Owner: AWS, SourceIdentifier: AWS_CONFIG_PROCESS_CHECK}}}}'
for name in ["a", "b", "c"]:
    config.put_config_rule(ConfigRule={"ConfigRuleName": name, "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_VERSIONING_ENABLED"}})
    config.put_conformance_pack(ConformancePackName=name, TemplateBody=pack % (name, name))
    config.put_organization_conformance_pack(OrganizationConformancePackName=name, TemplateBody=pack % (name, name))
    config.put_organization_config_rule(OrganizationConfigRuleName=name, OrganizationManagedRuleMetadata={"RuleIdentifier": "S3_BUCKET_VERSIONING_ENABLED"})
    config.put_configuration_aggregator(ConfigurationAggregatorName=name, AccountAggregationSources=[{"AccountIds": ["123456789012"], "AllAwsRegions": True}])
    config.put_stored_query(StoredQuery={"QueryName": name, "Expression": "SELECT *"})
    config.put_resource_config(ResourceType="Acme::Road::Car", SchemaVersionId="1", ResourceId=name, Configuration="{}")
    config.tag_resource(ResourceArn=config.describe_config_rules(ConfigRuleNames=["a"])["ConfigRules"][0]["ConfigRuleArn"], Tags=[{"Key": name, "Value": "v"}])
config.put_remediation_configurations(RemediationConfigurations=[{
    "ConfigRuleName": "a", "TargetType": "SSM_DOCUMENT", "TargetId": "AWS-ConfigureS3BucketVersioning",
    "Parameters": {"BucketName": {"ResourceValue": {"Value": "RESOURCE_ID"}}, "AutomationAssumeRole": {"StaticValue": {"Values": [role]}}}}])
config.put_retention_configuration(RetentionPeriodInDays=90)
for account in ["210987654321", "310987654321", "410987654321"]:
    config.put_aggregation_authorization(AuthorizedAccountId=account, AuthorizedAwsRegion="us-east-1")
print("put", flush=True)
input()  # until what was put has settled

needed = {
    "AggregatorName": "a", "ConfigurationAggregatorName": "a", "ConfigRuleName": "a", "ResourceType": "Acme::Road::Car", "resourceType": "Acme::Road::Car",
    "resourceId": "a", "ConformancePackName": "a", "OrganizationConfigRuleName": "a", "OrganizationConformancePackName": "a", "AccountId": "123456789012",
    "AwsRegion": "us-east-1", "Expression": "SELECT resourceId", "ResourceArn": config.describe_config_rules(ConfigRuleNames=["a"])["ConfigRules"][0]["ConfigRuleArn"],
    "ConformancePackNames": ["a", "b", "c"], "ResourceId": "a",
}
model = config.meta.service_model
loader = boto3.session.Session()._session.get_component("data_loader")
lists = loader.load_service_model("config", "paginators-1")["pagination"]
for operation, how in sorted(lists.items()):
    shape = model.operation_model(operation).input_shape
    given = {m: needed[m] for m in shape.required_members}
    if operation == "GetComplianceDetailsByResource":
        given.update(ResourceType="AWS::S3::Bucket", ResourceId="lists")
    keys = how["result_key"] if isinstance(how["result_key"], list) else [how["result_key"]]
    pages = config.get_paginator("".join("_" + c.lower() if c.isupper() else c for c in operation).lstrip("_"))

    def rows(page_size):
        settings = {"PageSize": page_size} if page_size and "limit_key" in how else {}
        found = []
        for page in pages.paginate(PaginationConfig=settings, **given):
            for key in keys:
                found += [json.dumps(r, sort_keys=True, default=str) for r in page.get(key, [])]
        return found

    whole, small = rows(None), rows(1)
    times = ("LastUpdatedTime", "LastUpdateTime", "lastUpdateTime")
    strip = lambda all: [json.dumps({k: v for k, v in json.loads(r).items() if k not in times}, sort_keys=True) if r.startswith("{") else r for r in all]
    assert strip(whole) == strip(small), (operation, whole, small)
    print(operation, len(whole))
