'use strict';
// Keeps Node.js warm for a function that is being written.
//
// The process that the platform started runs no code of the function. It keeps a
// spare process that has loaded what the function loaded from elsewhere than its
// own folder, and waits. When the code has changed, the worker ends and the spare
// takes its place: all of the function's modules are new, what it depends on is
// there already, and nothing of the old worker is left. Where that could differ
// from a new process, a new process it is.
const fs = require('node:fs');
const http = require('node:http');
const { fork } = require('node:child_process');

const own = (file) => file.startsWith(process.env.LAMBDA_TASK_ROOT + '/') || file.startsWith(__dirname + '/');
const stamp = (file) => {
  try {
    const s = fs.statSync(file);
    return `${s.mtimeMs} ${s.size}`;
  } catch {
    return '';
  }
};

// ---- the side of the process that runs the function

const environment = () => JSON.stringify(Object.entries(process.env).sort());

// A worker waits for its turn and then tells what it loads. Its loaded reports
// whether it may go on. The channel to the supervisor is kept from the function.
exports.worker = () => new Promise((resolve) => {
  const send = process.send.bind(process);
  const leave = (message, code) => send(message, () => process.exit(code));
  let warm = [];
  let told = -1;
  let certain = true;
  let before;
  const take = (message) => {
    if (message.preload) {
      for (const file of message.preload) {
        try {
          require(file);
        } catch {
          leave({ doubt: true }, 0);
        }
      }
      warm = message.preload;
      return;
    }
    process.off('message', take);
    process.off('disconnect', process.exit);
    for (const name of Object.keys(process.env)) delete process.env[name];
    Object.assign(process.env, message.env);
    delete process.env.PLUMB_RELOAD;
    before = environment();
    process.channel.unref();
    delete process.send;
    resolve(worker);
  };
  const worker = {
    loaded() {
      certain = environment() === before;
      const doubt = warm.length > 0 && !certain;
      if (doubt) leave({ doubt: true }, 0);
      return !doubt;
    },
    report() {
      const files = Object.keys(require.cache).filter((f) => !own(f));
      if (certain && files.length !== told) send({ modules: files });
      told = files.length;
    },
    failed: (then) => send({ failed: true }, then),
    again: (order) => leave({ again: JSON.parse(order) }, 0),
  };
  process.on('message', take);
  process.on('disconnect', process.exit); // its turn will not come
});

// ---- the side that the platform started

exports.supervise = (bootstrap) => {
  let modules = [];
  let stamps = new Map();
  let plain = false;
  let spare = null;
  let env = { ...process.env };
  const started = new Set(); // process ids of those that have not ended

  const start = (preload) => {
    const child = fork(bootstrap, [], { env: { ...process.env, PLUMB_RELOAD: 'worker' }, execArgv: process.execArgv, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
    started.add(child.pid);
    child.preload = preload;
    child.failed = false;
    if (preload.length) child.send({ preload });
    child.on('message', (m) => {
      if (m.doubt) plain = child.doubt = true;
      if (m.failed) child.failed = true;
      if (m.again) child.order = m.again;
      if (m.modules) modules = m.modules;
      if (m.modules && !plain) setTimeout(prepare, 50);
    });
    // What a child has told is known when its channel is closed, which may be after
    // its end.
    Promise.all([new Promise((f) => child.on('exit', (...how) => f(how))), new Promise((f) => child.on('disconnect', f))])
      .then(([[code, signal]]) => ended(child, code, signal));
    return child;
  };

  // prepare has a spare that has loaded what the worker has.
  const prepare = () => {
    if (spare && spare.preload.length === modules.length) return;
    spare?.disconnect();
    stamps = new Map(modules.map((f) => [f, stamp(f)]));
    spare = start(modules);
  };

  const next = () => {
    const stale = plain || [...stamps].some(([f, was]) => stamp(f) !== was);
    if (stale) spare?.disconnect();
    const worker = spare && !stale ? spare : start([]);
    spare = null;
    worker.working = true;
    worker.send({ env: { ...env, AWS_LAMBDA_RUNTIME_API: process.env.AWS_LAMBDA_RUNTIME_API } });
  };

  const ended = (child, code, signal) => {
    started.delete(child.pid);
    if (!child.working) {
      if (spare === child) spare = null;
      return;
    }
    if (child.doubt) return next();
    if (leftBehind(started)) process.exit(0);
    if (child.order) {
      env = child.order.env;
      return next();
    }
    if (!child.failed) process.exit(signal ? 128 : (code ?? 0));
    http.get(`http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/plumb/reload`, (r) => {
      let text = '';
      r.on('data', (d) => { text += d; });
      r.on('end', () => {
        env = JSON.parse(text).env;
        next();
      });
    }).on('error', () => process.exit(0));
  };

  next();
};

// leftBehind reports whether a worker that has ended left processes behind, as
// far as the system tells.
function leftBehind(started) {
  try {
    const all = fs.readdirSync('/proc/self/task').flatMap((t) => fs.readFileSync(`/proc/self/task/${t}/children`, 'utf8').split(' ').filter(Boolean));
    return all.some((pid) => !started.has(Number(pid)));
  } catch {
    return false;
  }
}
