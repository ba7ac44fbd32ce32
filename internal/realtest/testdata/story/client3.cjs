const sdk = require("@aws-sdk/client-config-service");
const client = new sdk.ConfigServiceClient({});

require("./story.cjs")({
  send: (operation, input) => client.send(new sdk[operation + "Command"](input)),
  // A class of its own for the errors of the model; the others have a name.
  isError: (failure, name) => failure.name === name && failure.$metadata.httpStatusCode === 400 && (!sdk[name] || failure instanceof sdk[name]),
}).catch((failure) => {
  console.error(failure);
  process.exitCode = 1;
});
