#!/usr/bin/env node
'use strict';
const { Runner } = require('./index.js');

const HELP = `Usage: rumiai-run URL|FILE|ID [--verbose]
       rumiai-run --check

Analyses one video. Steps go to standard error, the result to standard output as JSON.
Results of the earlier system are converted by: rumiai-orch recompute OLD --out NEW
`;

async function main(words) {
  if (words.includes('--help')) {
    process.stdout.write(HELP);
    return 0;
  }
  const runner = new Runner();
  if (words.includes('--check')) {
    const found = await runner.checkCompatibility();
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    return found.compatible ? 0 : 1;
  }
  const unknown = words.find((word) => word.startsWith('--') && word !== '--verbose');
  const inputs = words.filter((word) => !word.startsWith('--'));
  if (unknown || inputs.length !== 1) {
    process.stderr.write(`error: ${unknown ? `${unknown} is no option` : 'name one video'}\n\n${HELP}`);
    return 2;
  }
  const verbose = words.includes('--verbose');
  const onProgress = ({ stage, percent }) => {
    if (!verbose) process.stderr.write(`${String(percent).padStart(3)} % ${stage}\n`);
  };
  try {
    const result = await runner.run(inputs[0], { verbose, onProgress });
    process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
    return 0;
  } catch (error) {
    process.stderr.write(`error: ${error.type || 'general'}: ${error.message}\n`);
    return error.code > 0 ? error.code : 1;
  }
}

main(process.argv.slice(2)).then((code) => { process.exitCode = code; });
