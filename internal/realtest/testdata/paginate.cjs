// Goes through every list of AWS Config with the paginators of the SDK for JavaScript, version 3: page by page there must be what
// one large page has.
const assert = require("node:assert");
const readline = require("node:readline");
const sdk = require("@aws-sdk/client-config-service");

const client = new sdk.ConfigServiceClient({});
const send = (name, input) => client.send(new sdk[name + "Command"](input));
const account = "123456789012", region = "us-east-1", role = `arn:aws:iam::${account}:role/config`;
const pack = (name) => `Resources: {${name}: {Type: "AWS::Config::ConfigRule", Properties: {ConfigRuleName: ${name},` +
  ` Source: {Owner: AWS, SourceIdentifier: AWS_CONFIG_PROCESS_CHECK}}}}`;

async function put() {
  await send("PutConfigurationRecorder", { ConfigurationRecorder: { name: "default", roleARN: role } });
  await send("PutDeliveryChannel", { DeliveryChannel: { name: "default", s3BucketName: "lists" } });
  await send("StartConfigurationRecorder", { ConfigurationRecorderName: "default" });
  const source = { Owner: "AWS", SourceIdentifier: "S3_BUCKET_VERSIONING_ENABLED" };
  let arn;
  for (const name of ["a", "b", "c"]) {
    await send("PutConfigRule", { ConfigRule: { ConfigRuleName: name, Source: source } });
    await send("PutConformancePack", { ConformancePackName: name, TemplateBody: pack(name) });
    await send("PutOrganizationConformancePack", { OrganizationConformancePackName: name, TemplateBody: pack(name) });
    await send("PutOrganizationConfigRule", { OrganizationConfigRuleName: name, OrganizationManagedRuleMetadata: { RuleIdentifier: source.SourceIdentifier } });
    await send("PutConfigurationAggregator", { ConfigurationAggregatorName: name, AccountAggregationSources: [{ AccountIds: [account], AllAwsRegions: true }] });
    await send("PutStoredQuery", { StoredQuery: { QueryName: name, Expression: "SELECT *" } });
    await send("PutResourceConfig", { ResourceType: "Acme::Road::Car", SchemaVersionId: "1", ResourceId: name, Configuration: "{}" });
    arn = (await send("DescribeConfigRules", { ConfigRuleNames: ["a"] })).ConfigRules[0].ConfigRuleArn;
    await send("TagResource", { ResourceArn: arn, Tags: [{ Key: name, Value: "v" }] });
  }
  await send("PutRemediationConfigurations", { RemediationConfigurations: [{
    ConfigRuleName: "a", TargetType: "SSM_DOCUMENT", TargetId: "AWS-ConfigureS3BucketVersioning",
    Parameters: { BucketName: { ResourceValue: { Value: "RESOURCE_ID" } }, AutomationAssumeRole: { StaticValue: { Values: [role] } } } }] });
  await send("PutRetentionConfiguration", { RetentionPeriodInDays: 90 });
  for (const authorized of ["210987654321", "310987654321", "410987654321"])
    await send("PutAggregationAuthorization", { AuthorizedAccountId: authorized, AuthorizedAwsRegion: region });
  return arn;
}

// What lists need beside a page, by the member's name, and what single lists have in addition.
const inputs = (arn) => ({
  DescribeAggregateComplianceByConfigRules: { ConfigurationAggregatorName: "a" },
  DescribeAggregateComplianceByConformancePacks: { ConfigurationAggregatorName: "a" },
  DescribeConfigurationAggregatorSourcesStatus: { ConfigurationAggregatorName: "a" },
  DescribeConformancePackCompliance: { ConformancePackName: "a" },
  DescribeRemediationExceptions: { ConfigRuleName: "a" },
  DescribeRemediationExecutionStatus: { ConfigRuleName: "a" },
  GetAggregateComplianceDetailsByConfigRule: { ConfigurationAggregatorName: "a", ConfigRuleName: "a", AccountId: account, AwsRegion: region },
  GetAggregateConfigRuleComplianceSummary: { ConfigurationAggregatorName: "a" },
  GetAggregateConformancePackComplianceSummary: { ConfigurationAggregatorName: "a" },
  GetAggregateDiscoveredResourceCounts: { ConfigurationAggregatorName: "a", GroupByKey: "RESOURCE_TYPE" },
  GetComplianceDetailsByConfigRule: { ConfigRuleName: "a" },
  GetComplianceDetailsByResource: { ResourceType: "AWS::S3::Bucket", ResourceId: "lists" },
  GetConformancePackComplianceDetails: { ConformancePackName: "a" },
  GetConformancePackComplianceSummary: { ConformancePackNames: ["a", "b", "c"] },
  GetOrganizationConfigRuleDetailedStatus: { OrganizationConfigRuleName: "a" },
  GetOrganizationConformancePackDetailedStatus: { OrganizationConformancePackName: "a" },
  GetResourceConfigHistory: { resourceType: "Acme::Road::Car", resourceId: "a" },
  ListAggregateDiscoveredResources: { ConfigurationAggregatorName: "a", ResourceType: "Acme::Road::Car" },
  ListDiscoveredResources: { resourceType: "Acme::Road::Car" },
  ListTagsForResource: { ResourceArn: arn },
  SelectAggregateResourceConfig: { ConfigurationAggregatorName: "a", Expression: "SELECT resourceId" },
  SelectResourceConfig: { Expression: "SELECT resourceId" },
});

const times = ["ComplianceSummaryTimestamp", "LastUpdatedTime", "LastUpdateTime", "lastUpdateTime"];
const row = (entry) => JSON.stringify(entry, (key, value) => (times.includes(key) ? undefined : value));

async function rows(paginate, input, pageSize) {
  const found = [];
  let pages = 0;
  for await (const page of paginate({ client, ...(pageSize && { pageSize }) }, input)) {
    assert(++pages < 1000, "the pages do not end");
    for (const member of Object.values(page)) if (Array.isArray(member)) found.push(...member.map(row));
  }
  return { found, pages };
}

async function main() {
  const arn = await put();
  console.log("put");
  await new Promise((settled) => readline.createInterface({ input: process.stdin }).once("line", settled));
  const given = inputs(arn);
  for (const name of Object.keys(sdk).filter((k) => k.startsWith("paginate")).sort()) {
    const operation = name.slice("paginate".length), input = given[operation] ?? {};
    const whole = await rows(sdk[name], input), small = await rows(sdk[name], input, 1);
    assert.deepStrictEqual(small.found, whole.found, operation);
    console.log(operation, whole.found.length, small.pages);
  }
  process.exit(0);
}
main().catch((failure) => {
  console.error(failure);
  process.exit(1);
});
