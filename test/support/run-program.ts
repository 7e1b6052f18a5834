/** Runs a program to its end and keeps what it writes. */
import { spawn } from 'node:child_process';

export interface FinishedProgram {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly cwd?: string;
  /** Besides this process's own. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Resolves whatever the status; rejects only if there is no such program. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, environment }: ProgramOptions = {},
): Promise<FinishedProgram> {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { status, stdout, stderr };
}
