/** What a command knows of the world around it: passed in, so that tests run commands without a process. */

export interface Context {
  /** The feature repository, or where one is to be made. */
  readonly directory: string;
  /** Whether to answer in JSON, for machines. */
  readonly json: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether people read standard output and answer on standard input. */
  readonly isTerminal: boolean;
  /** Writes to standard output; resolves when more may be written. */
  write(text: string | Uint8Array): Promise<void>;
  /** Writes a line to standard error. */
  say(line: string): void;
  /** Replaces the last line of standard error where that is a terminal, and is silent elsewhere. */
  progress(line: string): void;
  /** Asks on the terminal; true for yes. */
  confirm(question: string): Promise<boolean>;
  /** Aborts when the program is to end: SIGINT or SIGTERM. A command that watches it ends by itself. */
  interruption(): AbortSignal;
}

/** The context of this process. */
export function processContext(): Context {
  const { stdin, stdout, stderr } = process;
  let shown = 0;
  return {
    directory: process.cwd(),
    json: false,
    environment: process.env,
    isTerminal: stdin.isTTY === true && stdout.isTTY === true,
    write: (text) =>
      new Promise((resolve, reject) => {
        stdout.write(text, (error) => (error ? reject(error) : resolve()));
      }),
    say: (line) => {
      stderr.write(`${shown > 0 ? '\n' : ''}${line}\n`);
      shown = 0;
    },
    progress: (line) => {
      if (stderr.isTTY !== true) return;
      // Nothing is left of a line that ends, and what is written next begins where it began.
      stderr.write(line === '' ? `\r${' '.repeat(shown)}\r` : `\r${line.padEnd(shown)}`);
      shown = line.length;
    },
    confirm,
    interruption,
  };
}

/** A second signal ends the process at once, as it would without us. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort(signal));
  return controller.signal;
}

async function confirm(question: string): Promise<boolean> {
  const { createInterface } = await import('node:readline/promises');
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
