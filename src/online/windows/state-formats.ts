/** How states of stream views are read and written: cohorts by schema and encoders by features, kept for all views that were ever met. */
import { asBuffer } from '../encoding/bytes.ts';
import { isSchemaId, readSpans } from '../encoding/row-codec.ts';
import type { OnlineScope } from '../write/erase.ts';
import { type Cohort, compileCohort } from './cohort.ts';
import { compileStateCodec, type StateCodec } from './state-codec.ts';
import { stateSchema, type WindowFeature, type WindowView } from './window-view.ts';

export interface StateFormats {
  /** Loads the schemas among stored values that are not known yet. */
  learn(
    views: ReadonlySet<WindowView>,
    values: readonly (Uint8Array | undefined)[],
    signal: AbortSignal | undefined,
  ): Promise<void>;
  /** undefined for what is no state of the view, as far as its schema was learnt. */
  cohortOf(view: WindowView, schemaId: number): Cohort | undefined;
  /** That of this very list of features, where it was opened before. */
  knownEncoder(view: WindowView, features: readonly WindowFeature[]): StateCodec | undefined;
  openEncoder(view: WindowView, features: readonly WindowFeature[], signal: AbortSignal | undefined): Promise<StateCodec>;
}

interface ViewFormat {
  readonly cohorts: Map<number, Cohort | undefined>;
  readonly encoders: Map<string, StateCodec>;
  /** The same by the very lists of features that cohorts and views have. */
  readonly encoderOf: WeakMap<readonly WindowFeature[], StateCodec>;
}

export function openStateFormats(scope: OnlineScope): StateFormats {
  const formats = new Map<string, ViewFormat>();
  const ofView = new WeakMap<WindowView, ViewFormat>();
  /** One a view and the features that it has. */
  const formatOf = (view: WindowView): ViewFormat => {
    const found = ofView.get(view);
    if (found !== undefined) return found;
    const name = JSON.stringify([view.name, view.features.map(({ name, hash }) => [name, hash])]);
    const known = formats.get(name) ?? {
      cohorts: new Map<number, Cohort | undefined>(),
      encoders: new Map<string, StateCodec>(),
      encoderOf: new WeakMap<readonly WindowFeature[], StateCodec>(),
    };
    formats.set(name, known);
    ofView.set(view, known);
    return known;
  };

  return {
    cohortOf: (view, schemaId) => formatOf(view).cohorts.get(schemaId),
    knownEncoder: (view, features) => formatOf(view).encoderOf.get(features),
    async learn(views, values, signal) {
      const unknown = new Set<number>();
      for (const value of values) {
        if (value === undefined) continue;
        for (const { schemaId } of readSpans(asBuffer(value))) {
          if (!isSchemaId(schemaId)) continue;
          for (const view of views) if (!formatOf(view).cohorts.has(schemaId)) unknown.add(schemaId);
        }
      }
      if (unknown.size === 0) return;
      await scope.schemas.load(unknown, signal);
      for (const id of unknown) {
        const schema = scope.schemas.get(id);
        if (schema === undefined) continue;
        for (const view of views) {
          const { cohorts } = formatOf(view);
          if (!cohorts.has(id)) cohorts.set(id, compileCohort(view, id, schema));
        }
      }
    },
    async openEncoder(view, features, signal) {
      const format = formatOf(view);
      const name = features.map((feature) => feature.name).join(' ');
      const known = format.encoders.get(name);
      if (known !== undefined) {
        format.encoderOf.set(features, known);
        return known;
      }
      const schema = stateSchema(view, features);
      const id = await scope.schemas.ensure(schema, signal);
      if (!format.cohorts.has(id)) format.cohorts.set(id, compileCohort(view, id, schema));
      const aggregates = features.map(({ aggregate }) => aggregate);
      const codec = compileStateCodec(id, aggregates, view.gapUs !== undefined);
      format.encoders.set(name, codec);
      format.encoderOf.set(features, codec);
      return codec;
    },
  };
}
