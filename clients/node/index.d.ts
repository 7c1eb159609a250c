/** A step of the runner, in the order in which they come. */
export type Stage =
  | 'scraping_metadata' | 'downloading_video' | 'running_ml_analysis' | 'building_timeline'
  | 'generating_temporal_markers' | 'saving_analysis' | 'running_claude_prompts' | 'generating_report' | 'completed';

export interface Progress {
  stage: Stage;
  /** 0 to 100. */
  percent: number;
}

/** Why a run gave no result. */
export type FailureType =
  | 'general' | 'invalid_arguments' | 'api_failure' | 'ml_failure' | 'unknown' // by the exit code of the runner
  | 'spawn_error' // it could not be started
  | 'killed' // somebody else ended it
  | 'aborted' | 'timeout' // the caller ended it
  | 'callback_error' // onProgress threw
  | 'protocol_error'; // it said that all is well, without a result that can be read

export interface Outputs {
  /** Absolute path; null where only results are left. */
  video: string | null;
  unified: string;
  temporal: string;
  insights: string;
}

/** The last line of the runner; docs/runner.md states all members. */
export interface Result {
  success: true;
  partial: boolean;
  video_id: string;
  outputs: Outputs;
  report: Record<string, unknown>;
  metrics: Record<string, unknown>;
  prompts_completed?: number;
}

/** The last line of a runner that failed. */
export interface Failure {
  success: false;
  error: string;
  error_type: string;
  stage?: string | null;
  video_id?: string;
  report?: Record<string, unknown>;
  metrics: Record<string, unknown>;
}

/** With outputFormat 'text'. */
export interface TextResult {
  success: true;
  output: string;
  progress: Progress[];
}

/** A URL, a file or the id of an earlier run; ids are strings: numbers of 19 digits lose some. */
export type Input = string | { videoUrl?: string; videoPath?: string; videoId?: string };

export interface RunOptions {
  /** 'json' by default. */
  outputFormat?: 'json' | 'text';
  /** Flags of the runner by their names, such as {out: 'results', maxCost: 2, services: ['yolo'], force: true}. */
  settings?: Record<string, string | number | boolean | readonly string[] | null | undefined>;
  cwd?: string;
  /** Added to the environment of this process. */
  env?: Record<string, string>;
  /** Copies what the runner writes to stderr. */
  verbose?: boolean;
  /** Called for each step; what it throws ends the run. */
  onProgress?: (progress: Progress) => void;
  /** Ends the run. */
  signal?: AbortSignal;
  /** Ends the run after this time. */
  timeoutMs?: number;
  /** How long a run that is ended has for it; 45000 by default. */
  killAfterMs?: number;
}

export interface RunnerOptions {
  /** What is started in place of all below, such as ['rumiai-orch', 'runner']. */
  command?: string[];
  /** The interpreter; PYTHON_CMD or python3 by default. */
  python?: string;
  /** Path of rumiai_runner.py; that of the checkout by default. */
  runner?: string;
}

export interface Compatibility {
  compatible: boolean;
  node: string;
  command: string[];
  problem: string | null;
}

export class RunnerError extends Error {
  type: FailureType;
  /** Exit code of the runner; -1 when it could not be started or was killed. */
  code: number;
  /** The message. */
  error: string;
  /** What it wrote to stdout. */
  output: string;
  /** The end of what it wrote to stderr. */
  stderr: string;
  result: Failure | null;
  /** The class of the error in RumiAI, such as ProbeError. */
  errorType: string | null;
}

export class Runner {
  constructor(options?: RunnerOptions);
  readonly command: string[];
  run(input: Input, options: RunOptions & { outputFormat: 'text' }): Promise<TextResult>;
  run(input: Input, options?: RunOptions): Promise<Result>;
  checkCompatibility(options?: { cwd?: string; env?: Record<string, string> }): Promise<Compatibility>;
}
