/** POST /write-to-online-store and /push: rows as Feast's clients and its plain HTTP users send them. */
import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { viewsOfSource } from '../../access/views-asked.ts';
import type { RegistryDocument, ViewDocument } from '../../registry/document.ts';
import { findNamed } from '../../registry/references.ts';
import type { HttpParts, JsonColumns } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';
import { columnsSchema, limitRows, nameSchema, validateBody } from '../validate.ts';
import { restoreInstants } from './columns.ts';

const writeSchema = z
  .object({ feature_view_name: nameSchema, df: columnsSchema, allow_registry_cache: z.boolean().nullish() })
  .meta({ id: 'feast_write_request' });

const pushSchema = z
  .object({
    push_source_name: nameSchema,
    df: columnsSchema,
    to: z.enum(['online', 'offline', 'online_and_offline']).default('online'),
    allow_registry_cache: z.boolean().nullish(),
    transform_on_write: z.boolean().nullish(),
  })
  .meta({ id: 'feast_push_request' });

const manners = { method: 'POST', family: 'feast', scope: 'write' } as const;

export function feastWrites({ writes, registry, limits }: HttpParts): readonly Resource[] {
  return [
    {
      ...manners,
      path: '/write-to-online-store',
      act: 'write_online',
      summary: 'Rows of a view, into the online store alone',
      body: writeSchema,
      async answer(asked) {
        const { feature_view_name: name, df } = validateBody(writeSchema, asked.body);
        limitRows(df, limits.maxRows);
        requireViews(asked.caller, [name]);
        const view = findNamed(registry().views, 'feature view', name);
        await writes.writeOnline(name, nameCreated(restoreInstants(df, instantsOfView(view)), view), asked);
        return jsonReply(null);
      },
    },
    {
      ...manners,
      path: '/push',
      act: 'push',
      summary: 'Rows of a push source',
      body: pushSchema,
      async answer(asked) {
        const { push_source_name: source, df, to } = validateBody(pushSchema, asked.body);
        limitRows(df, limits.maxRows);
        requireViews(asked.caller, viewsOfSource(registry(), source));
        await writes.push({ source, to, rows: restoreInstants(df, instantsOfSource(registry(), source)) }, asked);
        return { ...jsonReply(null), body: '' };
      },
    },
  ];
}

/** The client calls the timestamps so, whatever the source does. */
function instantsOfView(view: ViewDocument): ReadonlySet<string> {
  const features = view.features.filter((feature) => feature.type === 'timestamp').map((feature) => feature.name);
  return new Set(['event_timestamp', 'created', ...features]);
}

/** Ours is `created_timestamp`, unless the view has something else of the client's name. */
function nameCreated(columns: JsonColumns, view: ViewDocument): JsonColumns {
  if ([...view.keys, ...view.features].some(({ name }) => name === 'created')) return columns;
  const { created, ...rest } = columns;
  return created === undefined ? rest : { ...rest, created_timestamp: created };
}

/** Where the source declares its zone, naive text is in that zone and stays as it is. */
function instantsOfSource(registry: RegistryDocument, name: string): ReadonlySet<string> {
  const source = findNamed(registry.sources, 'source', name);
  if (source.timezone !== undefined) return new Set();
  return new Set(source.columns.filter((column) => column.type.startsWith('TIMESTAMP')).map((column) => column.name));
}
