/** Puts states made of history in the place of whatever an entity's value holds of the same features. */
import type { LiteralValue } from '../../definitions/literal.ts';
import { asBuffer, type Cursor } from '../encoding/bytes.ts';
import { encodeEntityKeys } from '../encoding/keys.ts';
import { isSchemaId, joinRows, readSpans } from '../encoding/row-codec.ts';
import { changeWholes } from '../spill/change-wholes.ts';
import type { SpilledState } from '../spill/tell-spilled.ts';
import { isErased, keepTombstone, type OnlineScope } from '../write/erase.ts';
import { eraseAgain, readWithTombstones, tombstonesWithin } from '../write/tombstones.ts';
import { type Cohort, compileCohort } from './cohort.ts';
import { isEmptyState, pickFeatures, type WindowState } from './state.ts';
import { compileStateCodec, type StateCodec } from './state-codec.ts';
import { stateSchema, type WindowFeature, type WindowView } from './window-view.ts';

export interface KeyState {
  /** One a join key, none null. */
  readonly keys: readonly LiteralValue[];
  readonly state: WindowState;
}

export interface StateWriter {
  /** Each key once in a call. Nothing is written of an entity that is erased. Gives what has spilled of them. */
  write(states: readonly KeyState[], signal?: AbortSignal): Promise<readonly SpilledState[]>;
}

/** `view` is the stream view with all its features, `filled` those that the states are of, in their order. */
export async function openStateWriter(
  scope: OnlineScope,
  view: WindowView,
  filled: readonly WindowFeature[],
  signal?: AbortSignal,
): Promise<StateWriter> {
  const cohorts = new Map<number, Cohort | undefined>();
  const codecs = new Map<string, StateCodec>();

  /** Of some of the features, under a schema that the store has. */
  async function codecOf(features: readonly WindowFeature[]): Promise<StateCodec> {
    const name = features.map((feature) => feature.name).join(' ');
    const known = codecs.get(name);
    if (known !== undefined) return known;
    const schema = stateSchema(view, features);
    const id = await scope.schemas.ensure(schema, signal);
    cohorts.set(id, compileCohort(view, id, schema));
    const aggregates = features.map(({ aggregate }) => aggregate);
    const codec = compileStateCodec(id, aggregates, view.gapUs !== undefined);
    codecs.set(name, codec);
    return codec;
  }

  const own = await codecOf(filled);

  /** Learns the schemas among stored values, and opens the codecs for what will be left of them. */
  async function learn(values: readonly (Uint8Array | undefined)[]): Promise<void> {
    const ids = new Set<number>();
    for (const value of values) {
      if (value === undefined) continue;
      for (const { schemaId } of readSpans(asBuffer(value))) {
        if (isSchemaId(schemaId) && !cohorts.has(schemaId)) ids.add(schemaId);
      }
    }
    await scope.schemas.load(ids, signal);
    for (const id of ids) {
      const schema = scope.schemas.get(id);
      if (schema === undefined) continue;
      const cohort = compileCohort(view, id, schema);
      cohorts.set(id, cohort);
      if (cohort !== undefined) await codecOf(restOf(cohort));
    }
  }

  const restOf = (cohort: Cohort) => cohort.view.features.filter((feature) => !filled.includes(feature));

  /** Without a state: of an entity that is erased. */
  function replaceState(stored: Buffer | undefined, state: WindowState | undefined): Buffer | undefined {
    if (state === undefined || isErased(stored)) return keepTombstone(stored);
    const kept: Buffer[] = [];
    for (const span of stored === undefined ? [] : readSpans(stored)) {
      const cohort = cohorts.get(span.schemaId);
      const bytes = (stored as Buffer).subarray(span.start, span.end);
      const rest = cohort === undefined ? [] : restOf(cohort);
      if (cohort === undefined || rest.length === cohort.view.features.length) kept.push(bytes);
      else if (rest.length > 0) {
        const cursor: Cursor = { buffer: stored as Buffer, at: span.body, end: span.end };
        kept.push(
          (codecs.get(rest.map(({ name }) => name).join(' ')) as StateCodec).encode(
            pickFeatures(
              cohort.decode(cursor),
              rest.map((feature) => cohort.view.features.indexOf(feature)),
            ),
          ),
        );
      }
    }
    if (!isEmptyState(state)) kept.push(own.encode(state));
    return kept.length === 0 ? undefined : joinRows(kept);
  }

  return {
    async write(states, abort) {
      const keys = states.map((one) => one.keys);
      const tombstones = tombstonesWithin(scope.project, view.entities, keys);
      const written = (encodeEntityKeys(scope.project, view.joinKeys, keys) as Buffer[]).map((key, at) => ({
        key,
        tombstones: tombstones[at] as readonly Buffer[],
      }));
      const { erased } = await readWithTombstones(scope.store, written, abort);
      const byKey = new Map(
        written.map(({ key }, at) => [key.toString('latin1'), erased[at] ? undefined : (states[at] as KeyState).state]),
      );
      const { spilled } = await changeWholes(
        {
          ...{ store: scope.store, project: scope.project, views: [view], learn },
          // Nothing is needed of a state of which no feature stays.
          lost: filled.length === view.features.length ? 'empty' : 'refused',
          viewOf: (schemaId) => (cohorts.get(schemaId) === undefined ? undefined : view.name),
          change: (value, key) => replaceState(value, byKey.get(asBuffer(key).toString('latin1'))),
        },
        written.map(({ key }) => key),
        () => {},
        abort,
      );
      const open = written.filter((_, at) => !erased[at]);
      await eraseAgain(scope, open, abort);
      return spilled;
    },
  };
}
