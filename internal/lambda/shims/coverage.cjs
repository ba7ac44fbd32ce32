'use strict';
// Has V8 count which parts of a function's own files run. Only a test that asks
// for coverage has it.
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const inspector = require('node:inspector');
const { pathToFileURL } = require('node:url');

exports.start = (root) => {
  const session = new inspector.Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  const home = pathToFileURL(path.join(root, path.sep)).href;
  let n = 0;
  // write writes what was counted since the last time; the session answers at once.
  return () => session.post('Profiler.takePreciseCoverage', (e, r) => {
    if (e) return;
    const result = r.result.filter((s) => s.url.startsWith(home) && !s.url.includes('/node_modules/'))
      .map((s) => ({ file: decodeURIComponent(s.url.slice(home.length)), functions: s.functions }));
    const folder = path.join(os.tmpdir(), 'plumb-coverage', process.env.AWS_LAMBDA_FUNCTION_NAME);
    fs.mkdirSync(folder, { recursive: true });
    const file = path.join(folder, `node-${process.pid}-${++n}.json`);
    fs.writeFileSync(file + '.part', JSON.stringify(result));
    fs.renameSync(file + '.part', file);
  });
};
