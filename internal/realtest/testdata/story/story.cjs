// What a client of AWS Config does around one rule, told once for every SDK for JavaScript: sdk.send(operation, input) calls,
// sdk.isError(failure, name) says whether a call failed as AWS names it. Arguments: the function's ARN, a bucket.
const assert = require("node:assert");

const rule = "story";

async function fails(sdk, name, operation, input) {
  try {
    await sdk.send(operation, input);
  } catch (failure) {
    assert(sdk.isError(failure, name), `${operation}: ${failure}`);
    return;
  }
  assert.fail(`${operation} did not fail with ${name}`);
}

async function verdict(sdk, bucket) {
  for (const until = Date.now() + 30_000; Date.now() < until; ) {
    const page = await sdk.send("GetComplianceDetailsByConfigRule", { ConfigRuleName: rule });
    const found = page.EvaluationResults.find((r) => r.EvaluationResultIdentifier.EvaluationResultQualifier.ResourceId === bucket);
    if (found) return found;
    await new Promise((passed) => setTimeout(passed, 50));
  }
  assert.fail("no verdict in 30 s");
}

module.exports = async function story(sdk) {
  const [functionARN, bucket] = process.argv.slice(2);
  await fails(sdk, "NoSuchConfigRuleException", "DescribeConfigRules", { ConfigRuleNames: [rule] });
  await fails(sdk, "ValidationException", "GetComplianceDetailsByConfigRule", { ConfigRuleName: rule, Limit: 101 });
  await fails(sdk, "InvalidParameterValueException", "PutConfigRule", {
    ConfigRule: { ConfigRuleName: rule, Source: { Owner: "AWS", SourceIdentifier: "NO_SUCH_RULE" } } });
  await sdk.send("PutConfigRule", { ConfigRule: {
    ConfigRuleName: rule, Description: "größer", Scope: { ComplianceResourceTypes: ["AWS::S3::Bucket"] },
    Source: { Owner: "CUSTOM_LAMBDA", SourceIdentifier: functionARN,
      SourceDetails: [{ EventSource: "aws.config", MessageType: "ConfigurationItemChangeNotification" }] } } });
  const { ConfigRules: [put] } = await sdk.send("DescribeConfigRules", { ConfigRuleNames: [rule] });
  assert.strictEqual(put.Description, "größer");
  const found = await verdict(sdk, bucket);
  assert.strictEqual(found.ComplianceType, "NON_COMPLIANT");
  assert.strictEqual(found.Annotation, "no versioning");
  assert(found.ResultRecordedTime instanceof Date && Math.abs(found.ResultRecordedTime - Date.now()) < 3600_000, "the time of a verdict");
  const { configurationItems: [item] } = await sdk.send("GetResourceConfigHistory", { resourceType: "AWS::S3::Bucket", resourceId: bucket });
  assert.strictEqual(JSON.parse(item.configuration).name, bucket);
  assert(item.configurationItemCaptureTime instanceof Date);
  await sdk.send("DeleteConfigRule", { ConfigRuleName: rule });
  console.log("told");
};
