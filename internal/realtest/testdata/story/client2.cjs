const AWS = require("aws-sdk");
const client = new AWS.ConfigService({ endpoint: process.env.AWS_ENDPOINT_URL });

require("./story.cjs")({
  send: (operation, input) => client[operation[0].toLowerCase() + operation.slice(1)](input).promise(),
  isError: (failure, name) => failure.code === name && failure.statusCode === 400 && failure.requestId && failure.time instanceof Date,
}).catch((failure) => {
  console.error(failure);
  process.exitCode = 1;
});
