// Measures the original's WebAssembly build on the payload from standard input.
const original = require(require('path').join(process.argv[1], 'guard', 'ts-lib', 'guard.js'));
const payload = require('fs').readFileSync(0, 'utf8');

function once() {
  return new original.ValidateBuilder().payload(true).structured(true).showSummary([4]).outputFormat(1)
    .tryBuildAndExecute(payload);
}

if (JSON.parse(once())[0].status !== 'PASS') throw new Error('the rules should pass');
for (let i = 0; i < 50; i++) once();
const start = process.hrtime.bigint();
let n = 0;
while (process.hrtime.bigint() - start < 1000000000n) { once(); n++; }
console.log(JSON.stringify({ Nanoseconds: Number(process.hrtime.bigint() - start) / n }));
