/** What requests need besides rows, kept in memory and loaded in the background: no request ever waits for it. */

import { asFeatureStoreError } from '../../errors.ts';
import type { Logger } from '../../observe.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { batchViewsOf } from '../../registry/references.ts';
import { createOnlineRecords } from '../records.ts';
import { readSpilledViews } from '../spill/spilled-views.ts';
import type { OnlineStore } from '../store.ts';
import { type Readiness, readServed } from '../windows/readiness.ts';
import type { WindowFeature } from '../windows/window-view.ts';
import { type FittedDefault, readFittedDefaults } from './defaults.ts';

export interface OnlineFacts {
  /** The fitted default of a definition (`fittedDefinition`); undefined until one is known. */
  fittedDefault(definition: string): FittedDefault | undefined;
  /** Whether a view was ever materialized, or filled from events; true until that is known. */
  isMaterialized(view: string): boolean;
  /** Whether the states of a stream view's feature hold all of history; false until that is known. */
  isReady(view: string, feature: Pick<WindowFeature, 'name' | 'hash'>): boolean;
  /** Whether any state of a stream view stands beside the value of its key, and is to be asked for with it. */
  isSpilled(view: string): boolean;
  /** Loads them now: before the first request, and after an apply. */
  load(signal?: AbortSignal): Promise<void>;
  close(): void;
}

export interface OnlineFactsOptions {
  readonly store: OnlineStore;
  readonly project: string;
  readonly registry: () => Pick<RegistryDocument, 'views'>;
  /** For each view whether it was ever materialized. */
  readonly readMaterialized: (views: readonly string[], signal?: AbortSignal) => Promise<readonly boolean[]>;
  readonly logger: Logger;
  /** Milliseconds from one load to the next; default 30,000. */
  readonly everyMs?: number;
}

export function createOnlineFacts(options: OnlineFactsOptions): OnlineFacts {
  const { store, project, registry, readMaterialized, logger, everyMs = 30_000 } = options;
  const records = createOnlineRecords(store, project);
  const closed = new AbortController();
  let fitted: ReadonlyMap<string, FittedDefault> = new Map();
  let missing: ReadonlySet<string> = new Set();
  let served: ReadonlyMap<string, readonly Readiness[]> = new Map();
  let spilled: ReadonlySet<string> = new Set();
  let timer: NodeJS.Timeout | undefined;

  async function load(signal?: AbortSignal): Promise<void> {
    const names = batchViewsOf(registry()).map(({ name }) => name);
    const streamed = registry().views.flatMap(({ kind, name }) => (kind === 'stream' ? [name] : []));
    const [defaults, materialized, readiness, spilling] = await Promise.all([
      readFittedDefaults(records, registry().views, signal),
      readMaterialized(names, signal),
      readServed(records, streamed, signal),
      readSpilledViews(records, streamed, signal),
    ]);
    fitted = defaults;
    served = new Map(streamed.map((name, at) => [name, readiness[at] as readonly Readiness[]]));
    spilled = new Set(streamed.filter((_, at) => spilling[at] !== undefined));
    const unfilled = streamed.filter((name) => Object.keys(served.get(name)?.[0] ?? {}).length === 0);
    missing = new Set([...names.filter((_, at) => materialized[at] === false), ...unfilled]);
  }

  /** What is known stays where the store is away. */
  async function loadAgain(): Promise<void> {
    try {
      await load(closed.signal);
    } catch (error) {
      if (closed.signal.aborted) return;
      const { code, message } = asFeatureStoreError(error);
      logger.warn({ code, error: message }, 'fitted defaults and watermarks could not be read; those known are served');
    }
    wait();
  }

  function wait(): void {
    if (!closed.signal.aborted) timer = setTimeout(() => void loadAgain(), everyMs).unref();
  }

  wait();
  return {
    fittedDefault: (definition) => fitted.get(definition),
    isMaterialized: (view) => !missing.has(view),
    isReady: (view, { name, hash }) => served.get(view)?.some((ready) => ready[name] === hash) === true,
    isSpilled: (view) => spilled.has(view),
    load,
    close() {
      closed.abort();
      clearTimeout(timer);
    },
  };
}
