/** `featherflight push SOURCE FILE`: the rows of a file into a source that takes pushes, and into the online store, once. */
import { createHash } from 'node:crypto';
import { Command } from 'commander';
import { encodeColumns, encodeMembers, type RequestColumns } from '../client/http/encode-columns.ts';
import { FeatureStoreError } from '../errors.ts';
import { createPushes, type PushReport } from '../materialize/push.ts';
import { findNamed } from '../registry/references.ts';
import type { Context } from './context.ts';
import { withScratchEngine } from './entity-frame.ts';
import { withOnlineWriter } from './online.ts';
import { type Columns, readPushedRows } from './pushed-rows.ts';
import { urlOption, withHttp } from './remote.ts';

interface Options {
  readonly idempotencyKey?: string;
  readonly url?: string;
}

/** Name of a column of the source -> its type. */
type Types = Readonly<Record<string, string>>;

/** Takes the rows of one push, under its key. */
type PushPart = (rows: Columns, idempotencyKey: string) => Promise<PushReport>;

/** What one push holds: within a server's limit of rows a request. */
const partRows = 5000;

export function pushCommand(context: Context): Command {
  return new Command()
    .argument('<source>', 'a batch source with push: true')
    .argument('<file>', "rows with the source's columns: Parquet, CSV, JSON or Arrow IPC by extension")
    .option('--idempotency-key <key>', 'the same for every try of one push, which counts once; default: made of the rows')
    .addOption(urlOption(context))
    .action(async (source: string, file: string, { idempotencyKey, url }: Options) => {
      const total = { rows: 0, archived: 0, written: 0, unchanged: 0, erased: 0 };
      const pushAll = (types: Types, push: PushPart) =>
        withScratchEngine(async (engine) => {
          const rowsFile = { path: file, directory: context.directory, types, partRows };
          let part = 0;
          for await (const rows of readPushedRows(engine, rowsFile, context.interruption())) {
            const report = await push(rows, keyOfPart(idempotencyKey, part, rows)).catch((error: unknown) => {
              throw placeInFile(error, part * partRows);
            });
            part += 1;
            if (report.archived) total.archived += report.rows;
            for (const name of ['rows', 'written', 'unchanged', 'erased'] as const) total[name] += report[name];
            context.progress(`${total.rows.toLocaleString('en')} rows pushed`);
          }
        });
      await (url === undefined ? pushHere(context, source, pushAll) : pushThere(url, context, source, pushAll));
      context.progress('');
      const { rows, archived, written, unchanged, erased } = total;
      if (context.json) return await context.write(`${JSON.stringify(total)}\n`);
      await context.write(`pushed ${rows} rows: ${written} written online, ${unchanged} unchanged, ${erased} erased\n`);
      if (archived < rows) context.say(`${rows - archived} rows were pushed before and are not archived again`);
    });
}

type PushAll = (types: Types, push: PushPart) => Promise<void>;

async function pushHere(context: Context, name: string, pushAll: PushAll): Promise<void> {
  await withOnlineWriter(context, 'push', async ({ registry, history, store }) => {
    const pushes = createPushes({ history, store, registry: () => registry });
    const { columns } = findNamed(registry.sources, 'source', name);
    const types = Object.fromEntries(columns.map((column) => [column.name, column.type]));
    await pushAll(types, (rows, idempotencyKey) => pushes.pushRows(name, rows, { idempotencyKey }));
  });
}

async function pushThere(url: string, context: Context, name: string, pushAll: PushAll): Promise<void> {
  await withHttp(url, context, async (http) => {
    const signal = context.interruption();
    const path = `/api/v1/sources/${encodeURIComponent(name)}`;
    const described = (await http.call({ method: 'GET', path, isRepeatable: true, signal })) as { readonly columns: Types };
    await pushAll(described.columns, async (rows, idempotencyKey) => {
      const body = encodeMembers({
        source: JSON.stringify(name),
        rows: encodeColumns(rows as RequestColumns),
        idempotency_key: JSON.stringify(idempotencyKey),
      });
      return (await http.call({ method: 'POST', path: '/api/v1/push', body, isRepeatable: true, signal })) as PushReport;
    });
  });
}

/** A row of a part is told as one of the file. */
function placeInFile(error: unknown, partStart: number): unknown {
  if (!(error instanceof FeatureStoreError) || typeof error.details.row !== 'number' || partStart === 0) return error;
  const { code, message, details } = error;
  const row = partStart + error.details.row;
  return new FeatureStoreError(code, `${message} (row ${row} of the file)`, { details: { ...details, row }, cause: error });
}

/** The same for the same rows at the same place of the file, or, where the caller names the push, for the same place of it. */
function keyOfPart(given: string | undefined, part: number, rows: Columns): string {
  const content = given === undefined ? encodeColumns(rows as RequestColumns) : given;
  return createHash('sha256')
    .update(JSON.stringify([part, content]))
    .digest('hex');
}
