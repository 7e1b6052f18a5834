/** Removes states of a stream view that were not made anew with all others, wherever they stand. */
import type { Cursor } from '../encoding/bytes.ts';
import { entityPrefix } from '../encoding/keys.ts';
import { isSchemaId, joinRows, readSpans } from '../encoding/row-codec.ts';
import { changeWholes } from '../spill/change-wholes.ts';
import type { OnlineScope } from '../write/erase.ts';
import { type Cohort, compileCohort } from './cohort.ts';
import type { WindowState } from './state.ts';
import type { WindowView } from './window-view.ts';

/** Reads every key once, page by page; `isKept` says of a state whether it stays. What is lost of one was not made anew. */
export async function dropStates(
  scope: OnlineScope,
  view: WindowView,
  isKept: (state: WindowState) => boolean,
  signal?: AbortSignal,
): Promise<void> {
  const cohorts = new Map<number, Cohort | undefined>();
  const drop = (value: Buffer | undefined): Buffer | undefined => {
    const spans = value === undefined ? [] : readSpans(value);
    const kept = spans.filter(({ schemaId, body, end }) => {
      const cohort = cohorts.get(schemaId);
      const cursor: Cursor = { buffer: value as Buffer, at: body, end };
      return cohort === undefined || isKept(cohort.decode(cursor));
    });
    if (kept.length === spans.length) return value;
    return kept.length === 0 ? undefined : joinRows(kept.map(({ start, end }) => (value as Buffer).subarray(start, end)));
  };
  const change = {
    ...{ store: scope.store, project: scope.project, views: [view], lost: 'empty' as const },
    learn: (values: readonly (Buffer | undefined)[]) => learn(scope, view, cohorts, values, signal),
    viewOf: (schemaId: number) => (cohorts.get(schemaId) === undefined ? undefined : view.name),
    change: drop,
  };
  for await (const keys of scope.store.scan(entityPrefix(scope.project), signal)) {
    await changeWholes(change, keys, () => {}, signal);
  }
}

async function learn(
  { schemas }: OnlineScope,
  view: WindowView,
  cohorts: Map<number, Cohort | undefined>,
  values: readonly (Buffer | undefined)[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const unknown = new Set<number>();
  for (const value of values) {
    if (value === undefined) continue;
    for (const { schemaId } of readSpans(value)) {
      if (isSchemaId(schemaId) && !cohorts.has(schemaId)) unknown.add(schemaId);
    }
  }
  await schemas.load(unknown, signal);
  for (const id of unknown) {
    const schema = schemas.get(id);
    cohorts.set(id, schema === undefined ? undefined : compileCohort(view, id, schema));
  }
}
