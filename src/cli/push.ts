/** `featherflight push SOURCE FILE`: the rows of a file into a source that takes pushes, and into the online store. */
import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { readValue } from '../arrow/read-value.ts';
import { openHttp } from '../client/http/call-server.ts';
import { createPushes } from '../materialize/push.ts';
import type { Context } from './context.ts';
import { openEntityFrame, withScratchEngine } from './entity-frame.ts';
import { jsonForm } from './format-value.ts';
import { withOnlineWriter } from './online.ts';
import { findHttpAddress, urlOption } from './remote.ts';

type Columns = Readonly<Record<string, readonly unknown[]>>;
interface Report {
  readonly rows: number;
  readonly archived: boolean;
  readonly written: number;
  readonly unchanged: number;
  readonly erased: number;
}

/** What one push holds: within a server's limit of rows a request. */
const rowsOfOne = 5000;

export function pushCommand(context: Context): Command {
  return new Command()
    .argument('<source>', 'a batch source with push: true')
    .argument('<file>', "rows with the source's columns: Parquet, CSV, JSON or Arrow IPC by extension")
    .addOption(urlOption(context))
    .action(async (source: string, file: string, { url }: { url?: string }) => {
      const total = { rows: 0, written: 0, unchanged: 0, erased: 0 };
      const count = (report: Report) => {
        for (const name of ['rows', 'written', 'unchanged', 'erased'] as const) total[name] += report[name];
        context.progress(`${total.rows.toLocaleString('en')} rows pushed`);
      };
      if (url === undefined) {
        await withOnlineWriter(context, 'push', async ({ registry, history, store }) => {
          const pushes = createPushes({ history, store, registry: () => registry });
          await readParts(context, file, async (rows) => count(await pushes.pushRows(source, rows)));
        });
      } else {
        const token = context.environment.FEATHERFLIGHT_TOKEN || undefined;
        const http = openHttp({ url: await findHttpAddress(url, context), token });
        try {
          await readParts(context, file, async (rows) => {
            const body = JSON.stringify({ source, rows, idempotency_key: randomUUID() });
            const call = { method: 'POST', path: '/api/v1/push', body, isRepeatable: true } as const;
            count((await http.call({ ...call, signal: context.interruption() })) as Report);
          });
        } finally {
          http.close();
        }
      }
      context.progress('');
      const { rows, written, unchanged, erased } = total;
      if (context.json) return await context.write(`${JSON.stringify(total)}\n`);
      await context.write(`pushed ${rows} rows: ${written} written online, ${unchanged} unchanged, ${erased} erased\n`);
    });
}

/** Hands on the file as columns of JSON values, a part after another. */
async function readParts(context: Context, file: string, push: (rows: Columns) => Promise<void>): Promise<void> {
  await withScratchEngine(async (engine) => {
    const { schema, batches } = await openEntityFrame(engine, file, context.directory);
    const forms = schema.fields.map(jsonForm);
    for await (const { plain, length } of batches(context.interruption())) {
      for (let from = 0; from < length; from += rowsOfOne) {
        const rows = Math.min(length - from, rowsOfOne);
        const columns = schema.fields.map(({ name }, at) => {
          const column = plain(at);
          const values = Array.from({ length: rows }, (_, row) => {
            const value = readValue(column, from + row);
            return value === null ? null : forms[at]?.(value);
          });
          return [name, values] as const;
        });
        await push(Object.fromEntries(columns));
      }
    }
  });
}
