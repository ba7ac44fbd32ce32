'use strict';
// Runs a Node.js function: asks the platform for the next event, calls the
// handler, posts what it returned, called back or threw. It behaves as AWS's
// runtime does, down to the texts of its errors, and uses nothing but Node.
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const util = require('node:util');
const nodeModule = require('node:module');
const { spawnSync } = require('node:child_process');
const { createRequire } = nodeModule;
const { pathToFileURL } = require('node:url');
require('./endpoint.cjs');

const env = process.env;
const ROOT = env.LAMBDA_TASK_ROOT;

// The Runtime API, over one connection that stays open. The platform's answers
// all have a Content-Length. While a handler runs the connection does not keep
// the event loop alive, so that an empty loop is noticed.
class Platform {
  constructor(address) {
    const colon = address.lastIndexOf(':');
    this.host = address.slice(0, colon);
    this.port = Number(address.slice(colon + 1));
    this.address = address;
    this.socket = null;
    this.waiting = null;
    this.data = Buffer.alloc(0);
  }

  call(method, p, body, headers = {}) {
    const lines = [`${method} /2018-06-01/runtime${p} HTTP/1.1`, `Host: ${this.address}`];
    for (const [k, v] of Object.entries(headers)) lines.push(`${k}: ${v}`);
    const payload = Buffer.from(body ?? '');
    if (method === 'POST') lines.push('Content-Type: application/json', `Content-Length: ${payload.length}`);
    const request = Buffer.concat([Buffer.from(lines.join('\r\n') + '\r\n\r\n'), payload]);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      if (!this.socket) this.connect();
      this.socket.ref();
      this.socket.write(request);
    });
  }

  connect() {
    const s = net.connect({ host: this.host, port: this.port, noDelay: true });
    this.socket = s;
    this.data = Buffer.alloc(0);
    const lost = (e) => {
      if (this.socket !== s) return;
      this.socket = null;
      const w = this.waiting;
      this.waiting = null;
      if (w) w.reject(e ?? new Error('the platform closed the connection'));
    };
    s.on('data', (d) => this.take(d));
    s.on('error', lost);
    s.on('close', () => lost());
  }

  take(d) {
    this.data = this.data.length ? Buffer.concat([this.data, d]) : d;
    const end = this.data.indexOf('\r\n\r\n');
    if (end < 0) return;
    const headers = {};
    for (const line of this.data.toString('latin1', 0, end).split('\r\n').slice(1)) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const length = Number(headers['content-length'] ?? 0);
    if (this.data.length < end + 4 + length) return;
    const body = this.data.toString('utf8', end + 4, end + 4 + length);
    this.data = this.data.subarray(end + 4 + length);
    this.socket.unref();
    const w = this.waiting;
    this.waiting = null;
    w?.resolve({ headers, body });
  }
}

const platform = new Platform(env.AWS_LAMBDA_RUNTIME_API);

// ---- the log

let requestId;
const writeOut = process.stdout.write.bind(process.stdout);
const asJson = env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const lowest = LEVELS.indexOf((env.AWS_LAMBDA_LOG_LEVEL ?? 'TRACE').toUpperCase());

function logLine(level, args) {
  if (asJson) {
    if (LEVELS.indexOf(level) < lowest) return;
    const line = { timestamp: new Date().toISOString(), level, requestId };
    line.message = args.length === 1 && typeof args[0] === 'object' && !util.types.isNativeError(args[0]) ? args[0] : util.format(...args);
    const fault = args.find((a) => util.types.isNativeError(a));
    if (fault) Object.assign(line, { errorType: fault.name, errorMessage: fault.message, stackTrace: String(fault.stack).split('\n') });
    writeOut(JSON.stringify(line) + '\n');
    return;
  }
  // A carriage return keeps the lines of a message one event.
  writeOut(`${new Date().toISOString()}\t${requestId}\t${level}\t${util.format(...args).replace(/\n/g, '\r')}\n`);
}

const METHODS = { log: 'INFO', info: 'INFO', debug: 'DEBUG', trace: 'TRACE', warn: 'WARN', error: 'ERROR', fatal: 'FATAL' };
for (const [method, level] of Object.entries(METHODS)) {
  console[method] = (...args) => logLine(level, args);
}

function logFault(what, e) {
  const shown = util.types.isNativeError(e)
    ? { errorType: e.name, errorMessage: e.message, code: e.code, ...e, stack: String(e.stack).split('\n') }
    : e;
  logLine('ERROR', [`${what} \t${safeJson(shown)}`]);
}

function safeJson(v) {
  try {
    return JSON.stringify(v);
  } catch {
    return util.inspect(v);
  }
}

// ---- errors

function named(kind, message, original) {
  const e = new Error(message);
  if (original?.stack) e.stack = original.stack;
  e.name = 'Runtime.' + kind;
  return e;
}

function errorObject(e) {
  try {
    if (util.types.isNativeError(e) || (e && e.name && e.message && e.stack)) {
      return {
        errorType: String(e.name).replace(/\x7f/g, '%7F'),
        errorMessage: String(e.message).replace(/\x7f/g, '%7F'),
        trace: String(e.stack).replace(/\x7f/g, '%7F').split('\n'),
      };
    }
    return { errorType: typeof e, errorMessage: String(e), trace: [] };
  } catch {
    return { errorType: 'handled', errorMessage: 'callback called with Error argument, but there was a problem while retrieving one or more of its message, name, and stack', trace: [] };
  }
}

// headerText keeps what a header may carry: the type may be any text of the
// function's.
const headerText = (s) => s.replace(/[^\x20-\x7e]/g, '?').slice(0, 1024);

function postError(p, e) {
  const body = errorObject(e);
  return platform.call('POST', p, JSON.stringify(body), { 'Lambda-Runtime-Function-Error-Type': headerText(body.errorType) });
}

// ---- finding the handler

function isModulePackage(dir) {
  if (dir.endsWith('/node_modules')) return false;
  const file = path.join(dir, 'package.json');
  if (fs.existsSync(file)) {
    try {
      return JSON.parse(fs.readFileSync(file, 'utf8')).type === 'module';
    } catch {
      return false;
    }
  }
  const up = path.dirname(dir);
  return up === dir ? false : isModulePackage(up);
}

// searchNodePath has import find packages in NODE_PATH, as AWS's runtimes do
// from nodejs18.x on. It starts a thread, so only what imports pays for it.
function searchNodePath() {
  const version = Number(/nodejs(\d+)/.exec(env.AWS_EXECUTION_ENV ?? '')?.[1] ?? 0);
  if (version >= 18 && nodeModule.register) nodeModule.register(pathToFileURL(path.join(__dirname, 'resolve.mjs')));
}

// imports reports whether a CommonJS file may import ES modules later.
const imports = (file) => /\bimport\s*\(/.test(fs.readFileSync(file, 'utf8'));

async function loadModule(dir, name) {
  const load = createRequire(path.join(ROOT, 'index.js'));
  const require = (file) => {
    if (imports(file)) searchNodePath();
    return load(file);
  };
  require.resolve = load.resolve;
  const p = path.resolve(ROOT, dir, name);
  const bring = (ext) => {
    searchNodePath();
    return import(pathToFileURL(p + ext));
  };
  if (fs.existsSync(p) && fs.statSync(p).isFile()) return require(p);
  if (fs.existsSync(p + '.js')) return isModulePackage(path.dirname(p)) ? bring('.js') : require(p + '.js');
  if (fs.existsSync(p + '.mjs')) return bring('.mjs');
  if (fs.existsSync(p + '.cjs')) return require(p + '.cjs');
  return require(require.resolve(name, { paths: [ROOT, path.resolve(ROOT, dir)] }));
}

// placed is a syntax error whose stack begins with its place. Node tells the place of
// one in an ES module only when it is asked to check the file.
function placed(e) {
  if (!/^SyntaxError/.test(e.stack) || e.stack.includes(ROOT)) return e; // it was thrown, and says where
  let left = 50;
  const place = (dir) => {
    for (const entry of fs.readdirSync(dir, { withFileTypes: true })) {
      const file = path.join(dir, entry.name);
      if (entry.isDirectory()) {
        const found = entry.name === 'node_modules' ? '' : place(file);
        if (found) return found;
      } else if (/\.m?js$/.test(file) && left-- > 0) {
        const told = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8', env: { PATH: env.PATH }, timeout: 5000 }).stderr ?? '';
        const at = told.indexOf(`\n\n${e}\n`);
        if (at > 0) return told.slice(0, at);
      }
    }
    return '';
  };
  try {
    const found = place(ROOT);
    if (found) e.stack = `${found}\n\n${e.stack}`;
  } catch {
    // it is told without its place
  }
  return e;
}

async function load(handler) {
  if (handler.includes('..')) {
    throw named('MalformedHandlerName', `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  }
  const base = path.basename(handler);
  const parts = base.match(/^([^.]*)\.(.+)$/);
  if (!parts) throw named('MalformedHandlerName', 'Bad handler');
  let found;
  try {
    found = await loadModule(handler.slice(0, handler.length - base.length), parts[1]);
  } catch (e) {
    if (e instanceof SyntaxError) throw named('UserCodeSyntaxError', String(e), placed(e));
    if (e?.code === 'MODULE_NOT_FOUND' || e?.code === 'ERR_MODULE_NOT_FOUND') throw named('ImportModuleError', String(e), e);
    throw e;
  }
  const f = parts[2].split('.').reduce((o, k) => o?.[k], found);
  if (!f) throw named('HandlerNotFound', `${handler} is undefined or not exported`);
  if (typeof f !== 'function') throw named('HandlerNotFound', `${handler} is not a function`);
  return f;
}

// ---- one invocation

// whenIdle is what to do when the event loop has nothing left to do.
let whenIdle = null;
process.on('beforeExit', () => {
  const f = whenIdle;
  whenIdle = null;
  f?.();
});

function contextOf(headers, state, callback) {
  const parse = (s) => (s ? JSON.parse(s) : undefined);
  return {
    get callbackWaitsForEmptyEventLoop() { return state.waits; },
    set callbackWaitsForEmptyEventLoop(v) { state.waits = Boolean(v); },
    succeed: (result) => callback(null, result),
    fail: (e) => callback(e ?? 'handled'),
    done: (e, result) => callback(e, result),
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: parse(headers['lambda-runtime-client-context']),
    identity: parse(headers['lambda-runtime-cognito-identity']),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    tenantId: headers['lambda-runtime-aws-tenant-id'],
    getRemainingTimeInMillis: () => Number(headers['lambda-runtime-deadline-ms']) - Date.now(),
  };
}

// coverage writes what ran, if a test asks for it.
const coverage = env.PLUMB_COVERAGE ? require('./coverage.cjs').start(ROOT) : () => {};

async function finish(id, error, result) {
  coverage();
  if (error !== null && error !== undefined) {
    logFault('Invoke Error', error);
    await postError(`/invocation/${id}/error`, error);
  } else {
    let text;
    try {
      text = JSON.stringify(result === undefined ? null : result) ?? 'null';
    } catch (e) {
      return finish(id, named('MarshalError', 'Unable to stringify response body as json: ' + e.message, e));
    }
    await platform.call('POST', `/invocation/${id}/response`, text);
  }
  setImmediate(next);
}

function invoke(handler, headers, body) {
  const id = headers['lambda-runtime-aws-request-id'];
  const state = { waits: true, settled: false };
  const settle = (error, result, now) => {
    if (state.settled) return;
    state.settled = true;
    whenIdle = null;
    const end = () => finish(id, error, result).catch(leave);
    if (now || !state.waits) end();
    else whenIdle = end;
  };
  const callback = (error, result) => settle(error, result, error !== null && error !== undefined);
  const isAsync = handler.constructor.name === 'AsyncFunction';
  whenIdle = () => {
    if (isAsync) settle(named('NodeJsExit', 'The Lambda function handler returned a promise that was never resolved'), null, true);
    else settle(null, null, true);
  };
  try {
    const returned = handler(JSON.parse(body), contextOf(headers, state, callback), callback);
    if (returned && typeof returned.then === 'function') {
      returned.then((v) => settle(null, v, true), (e) => settle(e ?? 'undefined', null, true));
    }
  } catch (e) {
    settle(e ?? 'undefined', null, true);
  }
}

// ---- the life of the process

function leave(e) {
  logFault('Runtime Error', e);
  process.exit(1);
}

function fatal(what, e, code) {
  logFault(what, e);
  const p = requestId ? `/invocation/${requestId}/error` : '/init/error';
  postError(p, e).catch(() => {}).finally(() => process.exit(code));
}

process.on('uncaughtException', (e) => fatal('Uncaught Exception', e, 129));
process.on('unhandledRejection', (reason) => fatal('Unhandled Promise Rejection', named('UnhandledPromiseRejection', String(reason), reason), 128));

let handler;
async function next() {
  try {
    worker?.report();
    const { headers, body } = await platform.call('GET', '/invocation/next');
    if (worker && headers['plumb-reload']) {
      worker.again(body);
      return;
    }
    requestId = headers['lambda-runtime-aws-request-id'];
    const trace = headers['lambda-runtime-trace-id'];
    if (trace) env._X_AMZN_TRACE_ID = trace;
    else delete env._X_AMZN_TRACE_ID;
    invoke(handler, headers, body);
  } catch (e) {
    leave(e);
  }
}

function start() {
  load(env._HANDLER).then(
    (f) => {
      handler = f;
      if (!worker || worker.loaded()) next();
    },
    (e) => {
      logFault('Uncaught Exception', e);
      const post = () => postError('/init/error', e).catch(() => {}).finally(() => process.exit(1));
      if (worker) worker.failed(post);
      else post();
    },
  );
}

// A function that is being written is loaded by a worker of reload.cjs.
let worker;
if (env.PLUMB_RELOAD === 'worker') {
  require('./reload.cjs').worker().then((w) => {
    worker = w;
    start();
  });
} else if (env.PLUMB_RELOAD) {
  require('./reload.cjs').supervise(__filename);
} else {
  start();
}
