/** Runs the pyarrow side of a test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const python = fileURLToPath(new URL('../../../.venv/bin/python', import.meta.url));
const script = fileURLToPath(new URL('./client.py', import.meta.url));

/** Calls one function of client.py and gives back the JSON it prints last; what it prints before goes to `onLine`, line by line. */
export function runClient(
  name: string,
  args: readonly (string | number)[],
  onLine: (line: string, child: ChildProcess) => void = () => undefined,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, ['-u', script, name, ...args.map(String)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let last = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      for (let end = out.indexOf('\n'); end >= 0; end = out.indexOf('\n')) {
        last = out.slice(0, end);
        out = out.slice(end + 1);
        onLine(last, child);
      }
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0) resolve(JSON.parse(last));
      else if (signal === 'SIGKILL') resolve('killed');
      else reject(new Error(`client.py ${name} ended with ${code ?? signal}: ${err}`));
    });
  });
}
