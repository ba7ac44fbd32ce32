const { ConfigServiceClient, PutEvaluationsCommand } = require("@aws-sdk/client-config-service");
const client = new ConfigServiceClient({});

exports.handler = async (event) => {
  const item = JSON.parse(event.invokingEvent).configurationItem;
  const versioned = item.supplementaryConfiguration.BucketVersioningConfiguration?.status === "Enabled";
  await client.send(new PutEvaluationsCommand({ ResultToken: event.resultToken, Evaluations: [{
    ComplianceResourceType: item.resourceType, ComplianceResourceId: item.resourceId, OrderingTimestamp: new Date(item.configurationItemCaptureTime),
    ComplianceType: versioned ? "COMPLIANT" : "NON_COMPLIANT", Annotation: versioned ? "versioning" : "no versioning" }] }));
};
