/** What requests need besides rows, kept in memory and loaded in the background: no request ever waits for it. */

import { asFeatureStoreError } from '../../errors.ts';
import type { Logger } from '../../observe.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { batchViewsOf } from '../../registry/references.ts';
import { createOnlineRecords } from '../records.ts';
import type { OnlineStore } from '../store.ts';
import { type FittedDefault, readFittedDefaults } from './defaults.ts';

export interface OnlineFacts {
  /** The fitted default of a definition (`fittedDefinition`); undefined until one is known. */
  fittedDefault(definition: string): FittedDefault | undefined;
  /** Whether a view was ever materialized; true until that is known. */
  isMaterialized(view: string): boolean;
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
  let timer: NodeJS.Timeout | undefined;

  async function load(signal?: AbortSignal): Promise<void> {
    const views = batchViewsOf(registry());
    const names = views.map(({ name }) => name);
    const [defaults, materialized] = await Promise.all([
      readFittedDefaults(records, views, signal),
      readMaterialized(names, signal),
    ]);
    fitted = defaults;
    missing = new Set(names.filter((_, at) => materialized[at] === false));
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
    load,
    close() {
      closed.abort();
      clearTimeout(timer);
    },
  };
}
