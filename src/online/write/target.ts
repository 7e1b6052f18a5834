/** Views as rows are written of them. */
import { asBuffer } from '../encoding/bytes.ts';
import { addDecoder, compileLookup, type OnlineLookup } from '../encoding/lookup.ts';
import { isSchemaId, nextSpan, startOfRows } from '../encoding/row-codec.ts';
import type { OnlineView } from '../view.ts';
import type { OnlineScope } from './erase.ts';

export interface WriteTarget {
  readonly view: OnlineView;
  /** What the rows are encoded with. */
  readonly schemaId: number;
  /** Of all features, with decoders for the schemas met so far. */
  readonly lookup: OnlineLookup;
}

/** Makes a view known to the store: rows may then be encoded for it. */
export async function openTarget({ schemas }: OnlineScope, view: OnlineView, signal?: AbortSignal): Promise<WriteTarget> {
  const schemaId = await schemas.ensure(view.schema, signal);
  const lookup = compileLookup(
    view,
    view.schema.features.map(({ name }) => name),
  );
  addDecoder(lookup, schemaId, view.schema);
  return { view, schemaId, lookup };
}

/** Adds decoders for all schemas among the rows of stored values. */
export async function addDecoders(
  { schemas }: OnlineScope,
  targets: readonly WriteTarget[],
  values: readonly (Uint8Array | undefined)[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const unknown = new Set<number>();
  const isKnown = (id: number) => !isSchemaId(id) || targets.every(({ lookup }) => lookup.decoders.has(id));
  for (const bytes of values) {
    if (bytes === undefined) continue;
    const value = asBuffer(bytes);
    for (let at = startOfRows(value); at < value.length; ) {
      const { schemaId, end } = nextSpan(value, at);
      if (!isKnown(schemaId)) unknown.add(schemaId);
      at = end;
    }
  }
  await schemas.load(unknown, signal);
  for (const id of unknown) {
    const schema = schemas.get(id);
    if (schema !== undefined) for (const { lookup } of targets) addDecoder(lookup, id, schema);
  }
}
