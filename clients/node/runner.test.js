'use strict';
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const os = require('node:os');
const path = require('node:path');
const test = require('node:test');
const { Runner, RunnerError } = require('./index.js');
const { Lines } = require('./lines.js');

const FAKE = path.join(__dirname, 'fixtures', 'fake_runner.js');

/** A runner that plays this scenario. */
const playing = (scenario) => new Runner({ command: [process.execPath, FAKE, scenario] });

/** Its result and the steps that were told. */
async function played(scenario, options = {}) {
  const steps = [];
  const result = await playing(scenario).run('clip.mp4', { onProgress: (step) => steps.push(step), ...options });
  return { result, steps };
}

/** The RunnerError with which it fails. */
async function failed(scenario, options = {}) {
  try {
    await playing(scenario).run('clip.mp4', options);
  } catch (error) {
    assert.ok(error instanceof RunnerError, error.stack);
    return error;
  }
  throw new assert.AssertionError({ message: `${scenario} did not fail` });
}

test('lines are the same however the bytes were cut', () => {
  const bytes = Buffer.from('é📊\r\n\nlast\u2028one', 'utf8');
  for (let size = 1; size <= bytes.length; size += 1) {
    const found = [];
    const lines = new Lines((line) => found.push(line));
    for (let at = 0; at < bytes.length; at += size) lines.push(bytes.subarray(at, at + size));
    lines.end();
    assert.deepEqual(found, ['é📊', '', 'last\u2028one']);
  }
});

test('steps and result byte by byte', async () => {
  const { result, steps } = await played('bytes');
  assert.deepEqual(steps, [{ stage: 'scraping_metadata', percent: 0 }, { stage: 'completed', percent: 100 }]);
  assert.deepEqual(result, { success: true, text: 'é📊' });
});

test('every step of a chunk is told', async () => {
  const { result, steps } = await played('together');
  assert.deepEqual(steps.map((step) => step.percent), [0, 10, 20]);
  assert.deepEqual(result, { success: true });
});

test('separators of Unicode end no line', async () => {
  assert.equal((await played('separators')).result.text, 'a\u2028b\u2029c\u0085d\n');
});

test('a last line without an end, and lines that end as on Windows', async () => {
  assert.equal((await played('unended')).result.n, 1);
  const { result, steps } = await played('windows');
  assert.deepEqual([result.success, steps.length], [true, 1]);
});

test('the last line that is an object is the result', async () => {
  const { result, steps } = await played('chatter');
  assert.deepEqual([result.n, steps], [2, []]);
});

test('a result of megabytes', async () => {
  assert.equal((await played('large')).result.text.length, 5e6);
});

for (const [scenario, message] of [['corrupt', /is no JSON/], ['nothing', /without a result/]]) {
  test(`a success without a result that can be read is a failure: ${scenario}`, async () => {
    const error = await failed(scenario);
    assert.deepEqual([error.type, error.code, error.result], ['protocol_error', 0, null]);
    assert.match(error.message, message);
  });
}

for (const [code, type] of [[1, 'general'], [2, 'invalid_arguments'], [3, 'api_failure'], [4, 'ml_failure'], [9, 'unknown']]) {
  test(`exit code ${code} is ${type}, with the result`, async () => {
    const error = await failed(`fails:${code}`);
    assert.deepEqual([error.type, error.code, error.errorType], [type, code, 'ProbeError']);
    assert.deepEqual([error.message, error.error, error.result.success], ['it went wrong', 'it went wrong', false]);
    assert.match(error.output, /scraping_metadata/);
  });
}

test('without a result the end of stderr says why', async () => {
  const error = await failed('silent:3');
  assert.deepEqual([error.type, error.message, error.result], ['api_failure', 'error: no disk', null]);
});

test('a program that is not there', async () => {
  const runner = new Runner({ command: ['/no/such/program'] });
  await assert.rejects(runner.run('clip.mp4'), { name: 'RunnerError', type: 'spawn_error', code: -1 });
  assert.equal((await runner.checkCompatibility()).compatible, false);
});

test('a folder that is not there, and an argument that no program can be given', async () => {
  assert.equal((await failed('words', { cwd: '/no/such/folder' })).type, 'spawn_error');
  await assert.rejects(playing('words').run('a\0b'), { type: 'spawn_error' });
});

test('arguments, folder and environment', async () => {
  const settings = { out: '--pretty', maxCost: 2.5, services: ['yolo', 'ocr'], force: true, strict: false };
  const { result } = await played('words', { settings, cwd: os.tmpdir(), env: { COLOR: 'red' } });
  const flags = ['--out=--pretty', '--max-cost=2.5', '--services=yolo,ocr', '--force'];
  assert.deepEqual(result.words, ['--output-format', 'json', ...flags, '--', 'clip.mp4']);
  assert.deepEqual([path.basename(result.cwd), result.color], [path.basename(os.tmpdir()), 'red']);
});

test('an input never becomes a flag', async () => {
  assert.deepEqual((await playing('words').run('--force')).words.slice(-2), ['--', '--force']);
  const named = await playing('words').run({ videoPath: '--force', videoId: '7' });
  assert.deepEqual(named.words.slice(-2), ['--video-path=--force', '--video-id=7']);
});

for (const input of ['', null, undefined, {}, { videoId: 7454575786134195489n }, { path: 'a.mp4' }]) {
  test(`no video: ${typeof input}`, async () => {
    await assert.rejects(playing('words').run(input), { type: 'invalid_arguments', code: 2 });
  });
}

test('text is given as it is', async () => {
  const { result } = await played('text', { outputFormat: 'text' });
  assert.match(result.output, /^📊 completed\.\.\. \(100%\)\nsuccess: clip\n$/u);
  assert.equal(result.progress.length, 1);
});

test('a caller ends a run', async () => {
  const controller = new AbortController();
  const error = await failed('patient', { signal: controller.signal, onProgress: () => controller.abort() });
  assert.deepEqual([error.type, error.code, error.errorType], ['aborted', 1, 'ProbeError']);
  assert.equal((await failed('patient', { signal: AbortSignal.abort() })).type, 'aborted');
});

test('a run that takes too long is ended, and killed when it does not end', async () => {
  const error = await failed('stubborn', { timeoutMs: 400, killAfterMs: 200 });
  assert.deepEqual([error.type, error.code], ['timeout', -1]);
});

test('a run that somebody else ends', async () => {
  const error = await failed('killed');
  assert.deepEqual([error.type, error.code], ['killed', -1]);
  assert.match(error.message, /SIGKILL/);
});

test('what onProgress throws ends the run', async () => {
  const error = await failed('patient', { onProgress: () => { throw new Error('no such row'); } });
  assert.deepEqual([error.type, error.message], ['callback_error', 'onProgress: no such row']);
});

test('compatibility', async () => {
  assert.equal((await playing('help').checkCompatibility()).compatible, true);
  assert.equal((await playing('text').checkCompatibility()).compatible, false);
});

test('the interpreter is the one that was named', () => {
  assert.equal(new Runner({ python: 'python3.12' }).command[0], 'python3.12');
  assert.match(new Runner().command.at(-1), /rumiai_runner\.py$/);
});

test('the command', () => {
  const run = (words, env = {}) => spawnSync(process.execPath, [path.join(__dirname, 'cli.js'), ...words], {
    encoding: 'utf8', env: { ...process.env, ...env },
  });
  assert.match(run(['--help']).stdout, /^Usage: rumiai-run/);
  for (const words of [[], ['a', 'b'], ['a', '--force']]) assert.equal(run(words).status, 2);
  const absent = run(['clip.mp4'], { PYTHON_CMD: '/no/such/python' });
  assert.equal(absent.status, 1);
  assert.match(absent.stderr, /^error: spawn_error: /);
});
