// How older Node callers read the runner (their wrapper's contract, not its text): progress by a pattern on each chunk of
// stdout, of which only the first match is seen; at exit 0 the text from the first line that begins with "{" to the end;
// at any other exit the code's name and stderr. Prints what its promise gave, as one line of JSON.
//
//     node old_wrapper.js PYTHON RUNNER INPUT [MORE...]
'use strict';
const { spawn } = require('node:child_process');

const TYPES = { 1: 'general', 2: 'invalid_arguments', 3: 'api_failure', 4: 'ml_failure' };
const PROGRESS = /📊\s+(\w+)\.\.\.\s+\((\d+)%\)/;
const [python, runner, input, ...more] = process.argv.slice(2);

const child = spawn(python, [runner, input, '--output-format', 'json', ...more]);
let output = '';
let errors = '';
const progress = [];
child.stdout.on('data', (chunk) => {
  const text = chunk.toString();
  output += text;
  const match = PROGRESS.exec(text);
  if (match) progress.push({ stage: match[1], percent: Number(match[2]) });
});
child.stderr.on('data', (chunk) => { errors += chunk.toString(); });
child.on('close', (code) => {
  let settled;
  if (code !== 0) {
    settled = { rejected: { code, error: errors || 'Unknown error', output, type: TYPES[code] || 'unknown' } };
  } else {
    const lines = output.split('\n');
    const first = lines.findIndex((line) => line.startsWith('{'));
    if (first < 0) settled = { resolved: { success: true, output, progress } };
    else {
      try {
        settled = { resolved: JSON.parse(lines.slice(first).join('\n')) };
      } catch {
        settled = { resolved: { success: true, output, error: 'Failed to parse JSON output' } };
      }
    }
  }
  console.log(JSON.stringify({ ...settled, progress }));
});
