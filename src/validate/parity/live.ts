/** Keys of history read online now: what a check of parity compares where nothing is logged. */
import type { LiteralValue } from '../../definitions/literal.ts';
import type { Logger } from '../../observe.ts';
import type { History } from '../../offline/history.ts';
import { createOnlineFacts } from '../../online/retrieve/facts.ts';
import { createOnlineFeatures } from '../../online/retrieve/retrieve.ts';
import type { OnlineStore } from '../../online/store.ts';
import type { RegistryDocument, SourceDocument, ViewDocument } from '../../registry/document.ts';
import { findNamed, onDemandViewsOf } from '../../registry/references.ts';
import { servedFromAnswer } from './from-answer.ts';
import type { KnownThen, ServedBatch } from './pairs.ts';
import type { ParityReport } from './report.ts';

export interface LiveParts {
  readonly history: Pick<History, 'sampleKeys'>;
  readonly store: OnlineStore;
  readonly registry: RegistryDocument;
  /** How far views are materialized, and the events of their sources applied. */
  readKnown(views: readonly ViewDocument[], signal: AbortSignal): Promise<readonly KnownThen[]>;
  readonly logger: Logger;
}

/** Features of one view, and the views whose keys they are asked by. */
export interface LiveRequest {
  readonly features: readonly string[];
  readonly keyed: readonly ViewDocument[];
}

type Wanted = { readonly view: string; readonly feature: string };

/** Keys that are read at once, all at one T. */
const keysAtOnce = 500;

/** One request for each view, of all features where none is named; what needs values of a request is left out, and said. */
export function listLive(registry: RegistryDocument, wanted: readonly Wanted[] | undefined) {
  const skipped: { feature: string; reason: string }[] = [];
  const asked: LiveRequest[] = [];
  const features: Wanted[] = [];
  const isWanted = (view: string, feature: string) =>
    wanted === undefined || wanted.some((one) => one.view === view && one.feature === feature);
  const viewNamed = (name: string) => findNamed(registry.views, 'feature view', name);
  const add = (name: string, names: readonly string[], keyed: readonly ViewDocument[]) => {
    if (names.length === 0) return;
    asked.push({ features: names.map((feature) => `${name}:${feature}`), keyed });
    features.push(...names.map((feature) => ({ view: name, feature })));
  };
  const namesOf = (view: { readonly name: string; readonly features: readonly { readonly name: string }[] }) =>
    view.features.map(({ name }) => name).filter((feature) => isWanted(view.name, feature));
  for (const view of registry.views) add(view.name, namesOf(view), [view]);
  for (const view of onDemandViewsOf(registry)) {
    const names = namesOf(view);
    if (view.request.length > 0) {
      const reason = `it needs ${view.request.map(({ name }) => `"${name}"`).join(', ')} of a request: compare it out of the log`;
      skipped.push(...names.map((feature) => ({ feature: `${view.name}:${feature}`, reason })));
    } else
      add(
        view.name,
        names,
        view.inputs.map((input) => viewNamed(input.view)),
      );
  }
  return { asked, features, skipped: skipped as ParityReport['summary']['skipped'] };
}

/** Reads a sample of keys of each request online, a part of them at a time. */
export async function* serveSample(
  { history, store, registry, readKnown, logger }: LiveParts,
  requests: readonly LiveRequest[],
  most: number,
  signal: AbortSignal,
): AsyncGenerator<ServedBatch, void> {
  const { online, close } = await openOnline({ store, registry, logger }, signal);
  try {
    for (const { features, keyed } of requests) {
      const { rows, columns } = await sampleEntities(history, registry, keyed, most, signal);
      for (let at = 0; at < rows; at += keysAtOnce) {
        signal.throwIfAborted();
        const entities = Object.fromEntries([...columns].map(([name, values]) => [name, values.slice(at, at + keysAtOnce)]));
        const before = await readKnown(keyed, signal);
        const answer = await online.get({ features, entities }, { signal });
        const after = await readKnown(keyed, signal);
        const knownAt = (label: string) =>
          keyed.flatMap(({ name }, place) => (name === label ? [before[place] ?? {}, after[place] ?? {}] : []));
        yield servedFromAnswer(answer, knownAt);
      }
    }
  } finally {
    close();
  }
}

/** The online path as a reader apart from the server's; `close` it. */
export async function openOnline(
  { store, registry, logger }: Pick<LiveParts, 'store' | 'registry' | 'logger'>,
  signal: AbortSignal,
) {
  const facts = createOnlineFacts({
    ...{ store, project: registry.project, registry: () => registry, logger },
    // Whether a view was ever materialized changes no value.
    readMaterialized: async (views) => views.map(() => true),
  });
  await facts.load(signal).catch((error) => {
    facts.close();
    throw error;
  });
  const online = createOnlineFeatures({ store, project: registry.project, registry: () => registry, facts });
  return { online, close: () => facts.close() };
}

/** Columns of join keys; views of other keys go round as often as it takes. A view without keys is asked once. */
async function sampleEntities(
  history: LiveParts['history'],
  registry: RegistryDocument,
  views: readonly ViewDocument[],
  most: number,
  signal: AbortSignal,
) {
  const columns = new Map<string, readonly LiteralValue[]>();
  let rows = 0;
  for (const view of views) {
    const names = view.keys.map(({ name }) => name);
    if (names.every((name) => columns.has(name))) continue;
    const source = registry.sources.find(({ name }) => name === view.source) as SourceDocument;
    const found = await history.sampleKeys(view, source, most, signal);
    rows = Math.max(rows, found[0]?.length ?? 0);
    for (const [at, name] of names.entries()) if (!columns.has(name)) columns.set(name, found[at] ?? []);
  }
  if (columns.size === 0) return { rows: 1, columns };
  if ([...columns.values()].some((values) => values.length === 0)) return { rows: 0, columns };
  for (const [name, values] of columns) {
    columns.set(
      name,
      Array.from({ length: rows }, (_, row) => values[row % values.length] as LiteralValue),
    );
  }
  return { rows, columns };
}
