const AWS = require("aws-sdk");
const client = new AWS.ConfigService();

exports.handler = (event, context, callback) => {
  const item = JSON.parse(event.invokingEvent).configurationItem;
  const versioned = (item.supplementaryConfiguration.BucketVersioningConfiguration || {}).status === "Enabled";
  client.putEvaluations({ ResultToken: event.resultToken, Evaluations: [{
    ComplianceResourceType: item.resourceType, ComplianceResourceId: item.resourceId, OrderingTimestamp: item.configurationItemCaptureTime,
    ComplianceType: versioned ? "COMPLIANT" : "NON_COMPLIANT", Annotation: versioned ? "versioning" : "no versioning" }] }, callback);
};
