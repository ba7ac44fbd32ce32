// Answers for a custom resource: the function that CloudFormation provides.
exports.SUCCESS = "SUCCESS";
exports.FAILED = "FAILED";

exports.send = function (event, context, responseStatus, responseData, physicalResourceId, noEcho) {
  return new Promise((resolve, reject) => {
    const body = JSON.stringify({
      Status: responseStatus,
      Reason: "See the details in CloudWatch Log Stream: " + context.logStreamName,
      PhysicalResourceId: physicalResourceId || context.logStreamName,
      StackId: event.StackId,
      RequestId: event.RequestId,
      LogicalResourceId: event.LogicalResourceId,
      NoEcho: noEcho || false,
      Data: responseData,
    });
    const url = new URL(event.ResponseURL);
    const scheme = require(url.protocol === "https:" ? "https" : "http");
    const request = scheme.request(url, {
      method: "PUT",
      headers: { "Content-Type": "", "Content-Length": Buffer.byteLength(body) },
    }, (answer) => {
      console.log("Status code: " + answer.statusCode);
      answer.resume();
      resolve(context.done());
    });
    request.on("error", (error) => {
      console.log("send(..) failed executing the request: " + error.message);
      reject(context.done(error));
    });
    request.end(body);
  });
};
