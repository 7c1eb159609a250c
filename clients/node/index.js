'use strict';
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Lines } = require('./lines.js');

/** What a line of progress looks like. */
const PROGRESS = /^📊\s+(\w+)\.\.\.\s+\((\d+)%\)$/u;
/** Exit code of the runner -> what kind of failure it is. */
const TYPES = { 1: 'general', 2: 'invalid_arguments', 3: 'api_failure', 4: 'ml_failure' };
/** The runner in a checkout of RumiAI, of which this folder is a part. */
const SCRIPT = path.join(__dirname, '..', '..', 'scripts', 'rumiai_runner.py');
/** Of stderr, the end is kept: it holds the reason. */
const STDERR_CHARS = 64 * 1024;
/** A runner that is asked to end gives up its video and stops its server; that takes seconds. */
const KILL_AFTER_MS = 45000;

/** Why a run gave no result. */
class RunnerError extends Error {
  /**
   * @param {string} message For people.
   * @param {object} facts
   * @param {string} facts.type See index.d.ts.
   * @param {number} facts.code Exit code of the runner; -1 when it could not be started or was killed.
   * @param {string} [facts.output] What it wrote to stdout.
   * @param {string} [facts.stderr] The end of what it wrote to stderr.
   * @param {object|null} [facts.result] The JSON of its last line, where there is one.
   */
  constructor(message, { type, code, output = '', stderr = '', result = null }) {
    super(message);
    this.name = 'RunnerError';
    this.type = type;
    this.code = code;
    this.error = message; // what the older wrapper called it
    this.output = output;
    this.stderr = stderr;
    this.result = result;
    /** The class of the error in RumiAI, such as ProbeError; null where it is not known. */
    this.errorType = (result && result.error_type) || null;
  }
}

/** Starts the runner, once for each video. */
class Runner {
  /**
   * @param {object} [options]
   * @param {string[]} [options.command] What is started in place of all below, such as ['rumiai-orch', 'runner'].
   * @param {string} [options.python] The interpreter; PYTHON_CMD or python3 by default.
   * @param {string} [options.runner] Path of rumiai_runner.py; that of the checkout by default.
   */
  constructor(options = {}) {
    this.command = options.command || defaultCommand(options);
  }

  /**
   * Analyse one video.
   *
   * @param {string|object} input A URL, a file or an id; or {videoUrl, videoPath, videoId}.
   * @param {object} [options] See index.d.ts.
   * @returns {Promise<object>} The result of the runner; it rejects with a RunnerError.
   */
  run(input, options = {}) {
    const format = options.outputFormat || 'json';
    let words;
    try {
      words = [...this.command.slice(1), ...argumentsOf(input, options.settings || {}, format)];
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      new Run(this.command[0], words, format, options, resolve, reject).start();
    });
  }

  /**
   * See whether the runner can be started.
   *
   * @returns {Promise<{compatible: boolean, node: string, command: string[], problem: string|null}>}
   */
  async checkCompatibility(options = {}) {
    const facts = { node: process.version, command: this.command };
    try {
      const told = await new Promise((resolve, reject) => {
        const words = [...this.command.slice(1), '--help'];
        new Run(this.command[0], words, 'text', options, resolve, reject).start();
      });
      const speaks = told.output.includes('VIDEO_INPUT');
      return { compatible: speaks, ...facts, problem: speaks ? null : 'it is another program' };
    } catch (error) {
      return { compatible: false, ...facts, problem: error.message };
    }
  }
}

/** One child process. */
class Run {
  constructor(program, words, format, options, resolve, reject) {
    Object.assign(this, { program, words, format, options, resolve, reject });
    this.output = [];
    this.stderr = '';
    this.progress = [];
    this.lastObject = null; // the last line that begins as an object does
    this.failure = null; // what ended the run from this side: {type, message, error}
    this.timers = [];
  }

  start() {
    const { options } = this;
    const env = { ...process.env, ...options.env };
    let child;
    try {
      child = spawn(this.program, this.words, { cwd: options.cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    } catch (error) { // an argument that no program can be given
      this.fail('spawn_error', `${this.program} could not be started: ${error.message}`, -1);
      return;
    }
    this.child = child;
    const lines = new Lines((line) => this.takeLine(line));
    child.stdout.on('data', (chunk) => lines.push(chunk));
    child.stdout.on('end', () => lines.end());
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text) => this.takeError(text));
    child.on('error', (error) => this.fail('spawn_error', `${this.program} could not be started: ${error.message}`, -1));
    child.on('close', (code, signal) => this.close(code, signal));
    if (options.timeoutMs) {
      this.timers.push(setTimeout(() => this.stop('timeout', `not done within ${options.timeoutMs} ms`), options.timeoutMs));
    }
    if (options.signal) this.watch(options.signal);
  }

  watch(signal) {
    const abort = () => this.stop('aborted', 'the caller ended the run');
    this.unwatch = () => signal.removeEventListener('abort', abort);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort);
  }

  takeLine(line) {
    this.output.push(line);
    if (this.options.verbose) process.stderr.write(`${line}\n`);
    const match = PROGRESS.exec(line);
    if (match) this.takeProgress({ stage: match[1], percent: Number(match[2]) });
    else if (line.startsWith('{')) this.lastObject = line;
  }

  takeProgress(step) {
    this.progress.push(step);
    if (!this.options.onProgress || this.failure) return;
    try {
      this.options.onProgress(step);
    } catch (error) {
      this.stop('callback_error', `onProgress: ${error.message}`);
    }
  }

  takeError(text) {
    this.stderr = (this.stderr + text).slice(-STDERR_CHARS);
    if (this.options.verbose) process.stderr.write(text);
  }

  /** Ask the child to end, and end it when it does not. */
  stop(type, message) {
    if (this.failure) return;
    this.failure = { type, message };
    this.child.kill('SIGTERM');
    const after = this.options.killAfterMs === undefined ? KILL_AFTER_MS : this.options.killAfterMs;
    this.timers.push(setTimeout(() => this.child.kill('SIGKILL'), after));
  }

  close(code, signal) {
    this.timers.forEach(clearTimeout);
    if (this.unwatch) this.unwatch();
    const read = this.read();
    if (this.failure) {
      this.fail(this.failure.type, this.failure.message, code === null ? -1 : code, read.result);
    } else if (code === null) {
      this.fail('killed', `the runner was ended by ${signal}`, -1, read.result);
    } else if (code !== 0) {
      const told = read.result && typeof read.result.error === 'string' ? read.result.error : this.stderr.trim();
      this.fail(TYPES[code] || 'unknown', told || 'Unknown error', code, read.result);
    } else if (this.format !== 'json') {
      this.resolve({ success: true, output: this.text(), progress: this.progress });
    } else if (read.problem) {
      this.fail('protocol_error', read.problem, code);
    } else {
      this.resolve(read.result);
    }
  }

  /** The result: the last line that is an object. */
  read() {
    if (this.lastObject === null) return { result: null, problem: 'the runner ended without a result' };
    try {
      return { result: JSON.parse(this.lastObject), problem: null };
    } catch (error) {
      return { result: null, problem: `the result of the runner is no JSON: ${error.message}` };
    }
  }

  text() {
    return this.output.map((line) => `${line}\n`).join('');
  }

  fail(type, message, code, result = null) {
    this.timers.forEach(clearTimeout);
    if (this.unwatch) this.unwatch();
    this.reject(new RunnerError(message, { type, code, output: this.text(), stderr: this.stderr, result }));
  }
}

function defaultCommand({ python, runner }) {
  const interpreter = python || process.env.PYTHON_CMD || 'python3';
  if (runner || fs.existsSync(SCRIPT)) return [interpreter, runner || SCRIPT];
  return ['rumiai-orch', 'runner'];
}

/** The arguments of the runner. A value never becomes a flag: it stands behind "=", or behind "--". */
function argumentsOf(input, settings, format) {
  const flags = ['--output-format', format];
  for (const [name, value] of Object.entries(settings)) flags.push(...flagOf(name, value));
  if (typeof input === 'string' && input !== '') return [...flags, '--', input];
  const named = Object.entries(input || {}).filter(([, value]) => value !== undefined && value !== '');
  for (const [name, value] of named) {
    if (!['videoUrl', 'videoPath', 'videoId'].includes(name) || typeof value !== 'string') throw badInput();
    flags.push(...flagOf(name, value));
  }
  if (named.length === 0) throw badInput();
  return flags;
}

function badInput() {
  const message = 'name a video: a URL, a file or an id as a string, or {videoUrl, videoPath, videoId} of strings';
  return new RunnerError(message, { type: 'invalid_arguments', code: 2 });
}

function flagOf(name, value) {
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (value === undefined || value === null || value === false) return [];
  return value === true ? [flag] : [`${flag}=${Array.isArray(value) ? value.join(',') : value}`];
}

module.exports = { Runner, RunnerError };
