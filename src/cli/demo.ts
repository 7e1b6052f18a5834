/** `featherflight demo`: StreamRec from nothing to a training set in Python and the same features online, on embedded defaults. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { relative, resolve } from 'node:path';
import { Command } from 'commander';
import { openFlightClient } from '../client/flight-client.ts';
import { ensureStreamRec } from '../demo/create-repository.ts';
import { streamRecSpan } from '../demo/generate-streamrec.ts';
import { prepareDemoPython } from '../demo/prepare-demo-python.ts';
import type { PlannedChange } from '../registry/diff.ts';
import { type RunningServer, startServer } from '../serve/server.ts';
import type { Context } from './context.ts';
import { endWithFailure } from './exit.ts';
import { foldLine, terminalWidth } from './fold-line.ts';
import { untilAborted } from './until-aborted.ts';

export function demoCommand(context: Context): Command {
  return new Command().argument('[dir]', 'where its repository is, or is to be made', 'streamrec').action(async (dir: string) => {
    const directory = resolve(context.directory, dir);
    const interrupted = context.interruption();
    const say = (line: string) => context.say(line);
    const [python] = await Promise.all([prepareDemoPython(say), ensureStreamRec(directory, say)]);
    const server = await startServer({ root: directory, environment: demoEnvironment(context), logLevel: 'warn' });
    try {
      await applyDefinitions(server, say);
      await fillSqlSources(server.url, say);
      say(`serving ${server.project} at ${server.url}; Python sends an entity frame:\n`);
      const status = await Promise.race([runScript(python, directory, server.url), server.died]);
      if (status !== 0) {
        say(`demo.py ended with status ${status}`);
        endWithFailure();
      }
      if (!context.isTerminal) return;
      const where = relative(context.directory, directory) || '.';
      say(`\nserving at ${server.url} until Ctrl-C; the definitions are in ${where}/features, and a notebook connects with`);
      say(`  import featherflight as ff; store = ff.connect("${server.url}"); store.features()`);
      await Promise.race([untilAborted(interrupted), server.died]);
    } finally {
      await server.stop();
    }
  });
}

/** Without a terminal nobody else is to find the server: it takes a free port, unless one is asked for. */
function demoEnvironment({ environment, isTerminal }: Context): Context['environment'] {
  return isTerminal ? environment : { FEATHERFLIGHT_FLIGHT_PORT: '0', FEATHERFLIGHT_HTTP_PORT: '0', ...environment };
}

async function applyDefinitions(server: RunningServer, say: (line: string) => void): Promise<void> {
  const { version, changes } = (await server.apply()) as { version: number; changes: readonly PlannedChange[] };
  const kinds = [...new Set(changes.map((change) => change.kind))];
  const counts = kinds.map((kind) => countOf(changes.filter((change) => change.kind === kind).length, kind));
  const applied = `definitions applied as version ${version}`;
  const parts = counts.map((count, at) => (at === counts.length - 1 ? `${count})` : `${count},`));
  for (const line of foldLine(parts.length === 0 ? [applied] : [`${applied} (new or changed:`, ...parts], terminalWidth, '  '))
    say(line);
}

/** The ticks of the days that the data speaks of: a server by itself begins with today's. */
async function fillSqlSources(url: string, say: (line: string) => void): Promise<void> {
  const client = openFlightClient({ url });
  try {
    for (const { name, kind } of await client.catalogue('sources')) {
      if (kind !== 'sql') continue;
      // The latest first: whoever goes on after the last tick has no months between to fill.
      await client.action('run_sql', { source: name });
      const { done } = (await client.action('run_sql', { source: name, ...streamRecSpan })) as { done: { ran: number } };
      if (done.ran > 0) say(`SQL source ${name}: ${countOf(done.ran, 'tick')} run, each over what was there before it`);
    }
  } finally {
    client.close();
  }
}

/** `1 entity`, `2 entities`. */
function countOf(count: number, kind: string): string {
  return `${count} ${count === 1 ? kind : `${kind}s`.replace(/ys$/, 'ies')}`;
}

/** The template's own script, which the repository's owner may change; its output is the demo's. */
async function runScript(python: string, directory: string, url: string): Promise<number> {
  const child = spawn(python, ['demo.py', url], { cwd: directory, stdio: 'inherit' });
  const [status] = (await once(child, 'exit')) as [number | null];
  return status ?? 1;
}
