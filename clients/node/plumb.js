// Plumb, AWS Config that you run yourself, in tests with Node.js: see README.md.

import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** What the server or the program refused. */
export class PlumbError extends Error {
  name = "PlumbError";
}

/** A running server, and the way to talk to it as one account in one region. */
export class Plumb {
  #child;
  #data;

  constructor(url, { account = "123456789012", region = "us-east-1", program = "plumb" } = {}) {
    Object.assign(this, { url: url.replace(/\/$/, ""), account, region, program });
  }

  /**
   * Starts a server on a free port. A test's context, with after(), ends it when the test does.
   * Options: program, account, region, and arguments of "plumb serve".
   */
  static async start(context, options = {}) {
    if (context && typeof context.after !== "function") [context, options] = [undefined, context];
    const { program = process.env.PLUMB_PROGRAM || "plumb", account = "123456789012", region = "us-east-1" } = options;
    const data = await mkdtemp(join(tmpdir(), "plumb-"));
    const child = spawn(program, [
      "serve", "--listen", "127.0.0.1:0", "--data", data, "--account", account, "--region", region,
      "--log-format", "text", "--log-level", "error", ...(options.arguments ?? []),
    ], { stdio: ["ignore", "ignore", "pipe"] });
    let url;
    try {
      url = await ready(child);
    } catch (e) {
      await rm(data, { recursive: true, force: true });
      throw e;
    }
    const plumb = new Plumb(url, { account, region, program });
    plumb.#child = child;
    plumb.#data = data;
    context?.after(() => plumb.stop());
    return plumb;
  }

  /** Ends the server and removes what it kept. */
  async stop() {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
      child.kill();
      await ended;
      clearTimeout(late);
    }
    await rm(this.#data, { recursive: true, force: true });
  }

  /** The environment of programs that reach the server with an AWS SDK or the AWS CLI. */
  get environ() {
    return {
      ...process.env, AWS_ENDPOINT_URL: this.url, AWS_REGION: this.region, AWS_DEFAULT_REGION: this.region,
      AWS_ACCESS_KEY_ID: this.account, AWS_SECRET_ACCESS_KEY: "any", AWS_SESSION_TOKEN: "",
    };
  }

  /** The configuration of clients of the AWS SDK for JavaScript. */
  get sdk() {
    return {
      endpoint: this.url, region: this.region, forcePathStyle: true,
      credentials: { accessKeyId: this.account, secretAccessKey: "any" },
    };
  }

  /** Calls an operation of AWS Config without an SDK. */
  config(operation, members = {}) {
    return this.#post("/", members, { "X-Amz-Target": "StarlingDoveService." + operation, "Content-Type": "application/x-amz-json-1.1" });
  }

  /** Records every resource, with a recorder, a bucket and a delivery channel, unless a recorder is there. */
  async record() {
    if ((await this.config("DescribeConfigurationRecorders")).ConfigurationRecorders.length > 0) return;
    const bucket = `plumb-test-${this.account}-${this.region}`;
    const place = this.region === "us-east-1" ? "" :
      `<CreateBucketConfiguration><LocationConstraint>${this.region}</LocationConstraint></CreateBucketConfiguration>`;
    await answer(await fetch(`${this.url}/${bucket}`, { method: "PUT", body: place }));
    await this.config("PutConfigurationRecorder", {
      ConfigurationRecorder: {
        name: "default", roleARN: `arn:aws:iam::${this.account}:role/config`,
        recordingGroup: { allSupported: true, includeGlobalResourceTypes: true },
      },
    });
    await this.config("PutDeliveryChannel", { DeliveryChannel: { name: "default", s3BucketName: bucket } });
    await this.config("StartConfigurationRecorder", { ConfigurationRecorderName: "default" });
  }

  /** Runs all that is due by the server's clock, until nothing is. */
  async drain() {
    await this.#post("/_plumb/drain");
  }

  /** Forgets everything. The clock runs again and shows the machine's time. */
  async reset() {
    await this.#post("/_plumb/reset");
  }

  /** The server's time. */
  now() {
    return this.#clock({});
  }

  /** Moves the server's clock forward by milliseconds. drain() then runs what became due. */
  advance(milliseconds) {
    return this.#clock({ advance: `${milliseconds}ms` });
  }

  /** Stops the server's clock, at a Date if one is given. */
  freeze(at) {
    return this.#clock({ freeze: at ? at.toISOString() : "now" });
  }

  /** Lets the server's clock run again, from the time that it shows. */
  unfreeze() {
    return this.#clock({ run: true });
  }

  /** Records items in files, in JSON or YAML and in any spelling that AWS Config uses. */
  fixture(...files) {
    return this.#run("item", "put", ...files);
  }

  /** Records an item that is an object, as fixture() does of files. */
  async item(item) {
    const folder = await mkdtemp(join(tmpdir(), "plumb-item-"));
    try {
      const file = join(folder, "item.json");
      await writeFile(file, JSON.stringify(item));
      return await this.fixture(file);
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  /** Records that a resource is gone. */
  async remove(resourceType, resourceId) {
    await this.config("DeleteResourceConfig", { ResourceType: resourceType, ResourceId: resourceId });
  }

  /** Puts the rules at a path, with parameters, as "plumb rule put" does, and returns their names. */
  put(path, parameters = {}) {
    return this.#run("rule", "put", path, ...Object.entries(parameters).flatMap(([k, v]) => ["--parameter", `${k}=${v}`]));
  }

  /** Has a rule evaluate all that is recorded, and drains. */
  async evaluate(rule) {
    await this.config("StartConfigRulesEvaluation", { ConfigRuleNames: [rule] });
    await this.drain();
  }

  /** What a rule says of every resource: objects with resourceType, resourceId, compliance and annotation. */
  async verdicts(rule) {
    return (await this.#post("/_plumb/verdicts", { account: this.account, region: this.region, rule })).verdicts;
  }

  /** What a rule says of one resource, or undefined. */
  async compliance(rule, resourceType, resourceId) {
    return (await this.verdicts(rule)).find((v) => v.resourceType === resourceType && v.resourceId === resourceId)?.compliance;
  }

  async #clock(order) {
    return new Date((await this.#post("/_plumb/clock", order)).now);
  }

  async #post(path, body = {}, headers = {}) {
    const text = await answer(await fetch(this.url + path, {
      method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json", ...headers },
    }));
    return text ? JSON.parse(text) : {};
  }

  async #run(...args) {
    const child = spawn(this.program, [...args, "--endpoint", this.url, "--account", this.account, "--region", this.region], {
      env: this.environ, stdio: ["ignore", "pipe", "pipe"],
    });
    const [out, errors, code] = await Promise.all([all(child.stdout), all(child.stderr), ended(child)]);
    if (code !== 0) throw new PlumbError(errors.trim());
    return out.split("\n").filter(Boolean);
  }
}

/** Waits for the line that says where the server answers; what it prints later is passed on. */
function ready(child) {
  return new Promise((resolve, reject) => {
    let said = "";
    child.once("error", (e) => reject(new PlumbError(`plumb did not start: ${e.message}`)));
    const lines = createInterface({ input: child.stderr });
    let answered = false;
    lines.on("line", (line) => {
      if (answered) process.stderr.write(line + "\n");
      else if (line.startsWith("ready ")) {
        answered = true;
        resolve(line.split(" ")[1]);
      } else said += line + "\n";
    });
    lines.once("close", () => reject(new PlumbError(`plumb did not start: ${said}`)));
  });
}

function ended(child) {
  return new Promise((resolve, reject) => {
    child.once("error", (e) => reject(new PlumbError(e.message)));
    child.once("close", resolve);
  });
}

async function all(stream) {
  let text = "";
  stream.setEncoding("utf8");
  for await (const part of stream) text += part;
  return text;
}

async function answer(response) {
  const text = await response.text();
  if (response.ok) return text;
  let said = {};
  try {
    said = JSON.parse(text);
  } catch {} // XML of S3
  const kind = (said.__type ?? "").split("#").pop();
  throw new PlumbError([kind, said.message ?? said.Message ?? said.error ?? text].filter(Boolean).join(": "));
}
