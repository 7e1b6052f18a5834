/** Row schemas in the store: each is kept once under a number that its content makes, and never changed, so that readers may keep it. */
import { createHash } from 'node:crypto';
import { createOnlineRecords } from '../records.ts';
import type { OnlineStore } from '../store.ts';
import type { RowSchema } from './row.ts';
import { isSchemaId } from './row-codec.ts';

export interface OnlineSchemas {
  /** The schema of that number, once it was loaded. */
  get(id: number): RowSchema | undefined;
  /** Loads the schemas that are not known yet, in one round trip; a number that the store does not know stays unknown. */
  load(ids: Iterable<number>, signal?: AbortSignal): Promise<void>;
  /** The number of a schema, which the store has when the promise resolves, even if it was flushed meanwhile. */
  ensure(schema: RowSchema, signal?: AbortSignal): Promise<number>;
}

const kind = 'schema';

export function createOnlineSchemas(store: OnlineStore, project: string): OnlineSchemas {
  const records = createOnlineRecords(store, project);
  const known = new Map<number, RowSchema>();
  return {
    get: (id) => known.get(id),
    load: async (ids, signal) => {
      const unknown = [...new Set(ids)].filter((id) => !known.has(id) && isSchemaId(id));
      if (unknown.length === 0) return;
      const found = await records.readMany(kind, unknown.map(recordName), signal);
      for (const [at, id] of unknown.entries()) if (found[at] !== undefined) known.set(id, found[at] as RowSchema);
    },
    ensure: async (schema, signal) => {
      for (let salt = 0; ; salt++) {
        const id = schemaNumber(schema, salt);
        if (!isSchemaId(id)) continue;
        const stored = await records.update<RowSchema>(kind, recordName(id), (current) => current ?? schema, signal);
        known.set(id, stored as RowSchema);
        if (contentOf(stored as RowSchema) === contentOf(schema)) return id;
      }
    },
  };
}

/** The first four bytes of the content's sha256, least significant first; with a salt where another schema has that number. */
export function schemaNumber(schema: RowSchema, salt: number): number {
  const content = contentOf(schema) + (salt === 0 ? '' : `#${salt}`);
  return createHash('sha256').update(content).digest().readUInt32LE(0);
}

function contentOf({ view, features }: RowSchema): string {
  return JSON.stringify([view, ...features.map(({ name, type, hash }) => [name, type, hash])]);
}

/** Eight hexadecimal digits. */
function recordName(id: number): string {
  return id.toString(16).padStart(8, '0');
}
