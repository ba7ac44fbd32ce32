import * as sdk from "@aws-sdk/client-config-service";
import story from "./story.cjs";

const client = new sdk.ConfigServiceClient({});

await story({
  send: (operation, input) => client.send(new sdk[operation + "Command"](input)),
  isError: (failure, name) => failure.name === name && failure.$metadata.httpStatusCode === 400 && (!sdk[name] || failure instanceof sdk[name]),
});
