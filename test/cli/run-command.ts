/** Runs the command line in this process and keeps what it writes. */
import type { Context } from '../../src/cli/context.ts';
import { runCli } from '../../src/cli/run.ts';

export interface CommandRun {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What it asked on the terminal. */
  readonly questions: readonly string[];
}

export interface CommandWorld {
  readonly directory?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What a person at a terminal says to a question; there is no terminal without it. */
  readonly answer?: boolean;
  readonly interrupted?: AbortSignal;
  /** Called with each line that a terminal shows while it lasts; the last one is empty. */
  readonly onProgress?: (line: string) => void;
  /** Called with everything written so far whenever something is. */
  readonly onWrite?: (stdout: string, stderr: string) => void;
}

export async function runCommand(args: readonly string[], world: CommandWorld = {}): Promise<CommandRun> {
  let [stdout, stderr] = ['', ''];
  const questions: string[] = [];
  const context: Context = {
    directory: world.directory ?? process.cwd(),
    json: false,
    environment: world.environment ?? {},
    isTerminal: world.answer !== undefined,
    write: async (text) => {
      stdout += typeof text === 'string' ? text : Buffer.from(text).toString();
      world.onWrite?.(stdout, stderr);
    },
    say: (line) => {
      stderr += `${line}\n`;
      world.onWrite?.(stdout, stderr);
    },
    progress: (line) => world.onProgress?.(line),
    confirm: async (question) => {
      questions.push(question);
      return world.answer === true;
    },
    interruption: () => world.interrupted ?? new AbortController().signal,
  };
  const status = await runCli(args, context);
  return { status, stdout, stderr, questions };
}
