// Runs the original's WebAssembly build. Reads one JSON object a line, {rules, data},
// and answers one a line: {events} or {error} or {panic}.
const path = require('path');
const readline = require('readline');
const file = path.join(process.argv[2], 'guard', 'ts-lib', 'guard.js');

let original = require(file);

function run({ rules, data }) {
  const builder = new original.ValidateBuilder().payload(true).showSummary([4]).outputFormat(0).print_json(true);
  try {
    const text = builder.tryBuildAndExecute(JSON.stringify({ rules: [rules], data: [data] }));
    const start = text.indexOf('{\n  "context": "File(');
    return start < 0 ? { error: text || 'no events' } : { events: JSON.parse(text.slice(start)) };
  } catch (e) {
    if (e instanceof WebAssembly.RuntimeError || e instanceof RangeError) {
      delete require.cache[require.resolve(file)];
      original = require(file);
      return { panic: String(e) };
    }
    return { error: String(e) };
  }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  process.stdout.write(JSON.stringify(run(JSON.parse(line))) + '\n');
});
