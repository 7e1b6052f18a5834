/** Counts who reads what where answers are made: a set in memory for each answer, written every minute and at the end. */
import type { Logger } from '../observe.ts';
import type { OnlineRecords } from '../online/records.ts';
import { instantOf, joinReaders, memberOf, mergeUsage, type Readers, type Usage } from './usage-records.ts';

/** What one plan reads, what only transforms read included. */
export interface ReadNames {
  readonly features: readonly { readonly view: string; readonly feature: string }[];
  readonly service: string | null | undefined;
}

export interface UsageTally {
  /** `plan` is the same value for equal requests, as far as there is one; `namesOf` is asked once for each. */
  read(plan: object, namesOf: () => ReadNames, reader: string): void;
  /** Resolves when all that was read before it was called is stored; what cannot be stored is kept for the next time, and told of. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

export interface UsageTallyOptions {
  readonly records: OnlineRecords;
  readonly logger: Pick<Logger, 'warn'>;
  readonly flushMs?: number;
  readonly nowMs?: () => number;
}

/** Plans that are told apart before they are put together by feature. */
const mostPlans = 1000;

export function createUsageTally({ records, logger, flushMs = 60_000, nowMs = Date.now }: UsageTallyOptions): UsageTally {
  let byPlan = new Map<object, { readonly names: ReadNames; readonly readers: Map<string, number> }>();
  let folded: Usage = { features: new Map(), services: new Map() };
  let flushing: Promise<void> = Promise.resolve();
  let isTold = false;

  function fold(): void {
    const features = new Map(folded.features);
    const services = new Map(folded.services);
    for (const { names, readers } of byPlan.values()) {
      const read: Readers = Object.fromEntries([...readers].map(([reader, ms]) => [reader, instantOf(ms)]));
      for (const { view, feature } of names.features) {
        const known = features.get(view) ?? {};
        features.set(view, { ...known, [feature]: joinReaders([memberOf(known, feature) ?? {}, read]) });
      }
      if (names.service != null) services.set(names.service, joinReaders([services.get(names.service) ?? {}, read]));
    }
    byPlan = new Map();
    folded = { features, services };
  }

  async function flushNow(): Promise<void> {
    fold();
    const taken = folded;
    if (taken.features.size + taken.services.size === 0) return;
    folded = { features: new Map(), services: new Map() };
    try {
      await mergeUsage(records, taken, nowMs());
      isTold = false;
    } catch (error) {
      folded = join(taken, folded);
      if (!isTold) logger.warn({ error: String(error) }, 'who reads which features could not be stored; it is tried again');
      isTold = true;
    }
  }

  const flush = () => {
    flushing = flushing.then(flushNow);
    return flushing;
  };
  const timer = setInterval(() => void flush(), flushMs);
  timer.unref();
  return {
    read(plan, namesOf, reader) {
      let known = byPlan.get(plan);
      if (known === undefined) {
        if (byPlan.size >= mostPlans) fold();
        known = { names: namesOf(), readers: new Map() };
        byPlan.set(plan, known);
      }
      known.readers.set(reader, nowMs());
    },
    flush,
    async stop() {
      clearInterval(timer);
      await flush();
    },
  };
}

function join(a: Usage, b: Usage): Usage {
  const features = new Map(a.features);
  for (const [view, reads] of b.features) {
    const known = features.get(view) ?? {};
    const joined = Object.entries(reads).map(([feature, readers]) => [
      feature,
      joinReaders([memberOf(known, feature) ?? {}, readers]),
    ]);
    features.set(view, { ...known, ...Object.fromEntries(joined) });
  }
  const services = new Map(a.services);
  for (const [service, readers] of b.services) services.set(service, joinReaders([services.get(service) ?? {}, readers]));
  return { features, services };
}
