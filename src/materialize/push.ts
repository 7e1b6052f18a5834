/** Rows that are pushed: durable in the source's archive, then in the online store for every view of the source, then acknowledged. */
import { randomUUID } from 'node:crypto';
import { FeatureStoreError } from '../errors.ts';
import type { PushedRows } from '../offline/archive/writer.ts';
import type { History } from '../offline/history.ts';
import type { LatestRow } from '../offline/latest.ts';
import { noteNewestEvent } from '../online/newest-events.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineStore } from '../online/store.ts';
import { compileOnlineView } from '../online/view.ts';
import { createOnlineWriter } from '../online/write/writer.ts';
import type { RegistryDocument, SourceDocument, ViewDocument } from '../registry/document.ts';
import { findNamed, findView } from '../registry/references.ts';
import { asWrittenSource } from './written-source.ts';

export interface PushParts {
  readonly history: Pick<History, 'archive' | 'readArchived'>;
  readonly store: OnlineStore;
  registry(): RegistryDocument;
  nowUs?(): bigint;
}

export interface PushOptions {
  /** The same for every try of one push; default: a new one. */
  readonly idempotencyKey?: string;
  /** Default: both. */
  readonly to?: 'online' | 'offline' | 'online_and_offline';
  readonly signal?: AbortSignal;
}

/** How many rows there are, and what became of them online, all views together. */
export interface PushReport {
  readonly rows: number;
  /** Whether the archive took them now; false where an earlier try has written them, or they are not for it. */
  readonly archived: boolean;
  readonly written: number;
  readonly unchanged: number;
  readonly erased: number;
}

export interface Pushes {
  /** Rows of a batch source with `push: true`, as columns of the source. */
  pushRows(source: string, rows: PushedRows, options?: PushOptions): Promise<PushReport>;
  /**
   * Rows of a view into the online store alone, as columns named by its join keys, its features and the source's timestamps, or
   * `event_timestamp` and `created_timestamp` for these.
   */
  writeToOnlineStore(view: string, rows: PushedRows, signal?: AbortSignal): Promise<PushReport>;
}

export function createPushes(parts: PushParts): Pushes {
  const now = parts.nowUs ?? (() => BigInt(Date.now()) * 1000n);

  async function writeOnline(view: ViewDocument, registry: RegistryDocument, rows: readonly LatestRow[], signal?: AbortSignal) {
    const writer = createOnlineWriter(parts.store, registry.project);
    const pushed = rows.map(({ keys, ...row }) => ({ keys, row: { ...row, pushed: true } }));
    const nowUs = now();
    const counts = await writer.write(compileOnlineView(view, registry), pushed, nowUs, signal);
    const eventUs = rows.reduce<bigint | undefined>(
      (most, row) => (most !== undefined && most > row.eventUs ? most : row.eventUs),
      undefined,
    );
    if (eventUs !== undefined)
      await noteNewestEvent(createOnlineRecords(parts.store, registry.project), view, { eventUs, nowUs }, signal);
    return counts;
  }

  function requireArchive(): NonNullable<History['archive']> {
    if (parts.history.archive !== undefined) return parts.history.archive;
    throw new FeatureStoreError('FAILED_PRECONDITION', 'there is no folder for what is pushed; configure `storage`');
  }

  return {
    async pushRows(name, rows, { idempotencyKey = randomUUID(), to = 'online_and_offline', signal } = {}) {
      const registry = parts.registry();
      const source = findNamed(registry.sources, 'source', name);
      if (source.push !== true) throw notPushed(source);
      const archive = requireArchive();
      const nowUs = now();
      const count = rowsOf(rows);
      const report = { rows: count, archived: false, written: 0, unchanged: 0, erased: 0 };
      // Rows that are refused are found before anything is kept of them; also a retried push writes online what it was given.
      return await archive.stage(source, rows, nowUs, async (file) => {
        const views = to === 'offline' ? [] : registry.views.filter((view) => view.source === source.name);
        const seen = await Promise.all(views.map((view) => parts.history.readArchived(view, source, file, signal)));
        if (to !== 'online') report.archived = (await archive.keep(source, idempotencyKey, file)).isNew;
        for (const [at, view] of views.entries()) add(report, await writeOnline(view, registry, seen[at] as LatestRow[], signal));
        return report;
      });
    },

    async writeToOnlineStore(name, rows, signal) {
      const registry = parts.registry();
      const view = findView(registry, name);
      if (view.kind !== 'batch') {
        throw new FeatureStoreError(
          'INVALID_ARGUMENT',
          `feature view "${name}" is computed ${view.kind === 'stream' ? 'from events' : 'on demand'}: no rows are written to it`,
          {
            details: { view: name },
          },
        );
      }
      const source = findNamed(registry.sources, 'source', view.source);
      const written = asWrittenSource(view, source, rows);
      const report = { rows: rowsOf(rows), archived: false, written: 0, unchanged: 0, erased: 0 };
      return await requireArchive().stage(written.source, written.rows, now(), async (file) => {
        const seen = await parts.history.readArchived(written.view, written.source, file, signal);
        add(report, await writeOnline(view, registry, seen, signal));
        return report;
      });
    },
  };
}

function add(
  report: { written: number; unchanged: number; erased: number },
  counts: { readonly written: number; readonly unchanged: number; readonly erased: number },
): void {
  report.written += counts.written;
  report.unchanged += counts.unchanged;
  report.erased += counts.erased;
}

function rowsOf(rows: PushedRows): number {
  return Object.values(rows)[0]?.length ?? 0;
}

function notPushed({ name, query }: SourceDocument): FeatureStoreError {
  if (query !== undefined) {
    const inputs = query.inputs.map(({ source }) => source).join(', ');
    return new FeatureStoreError(
      'FAILED_PRECONDITION',
      `the rows of source "${name}" are made by its SQL, and none are pushed to it: push to what it reads (${inputs}), then featherflight run-sql ${name}`,
      { details: { source: name, inputs: query.inputs.map(({ source }) => source) } },
    );
  }
  return new FeatureStoreError(
    'FAILED_PRECONDITION',
    `source "${name}" takes no pushed rows; define it with push: true and apply, or write to a view's online store alone`,
    { details: { source: name } },
  );
}
