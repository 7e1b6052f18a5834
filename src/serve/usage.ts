/** Who reads what, on the thread of historical requests and for all who ask: what the other thread has counted is stored before it is read. */
import { readerOf, type TokenRecord } from '../access/token-record.ts';
import { namesOfResolution } from '../lifecycle/read-names.ts';
import { readUsage, type Usage } from '../lifecycle/usage-records.ts';
import { createUsageTally } from '../lifecycle/usage-tally.ts';
import type { Logger } from '../observe.ts';
import type { RetrievalPlan } from '../offline/plan.ts';
import type { OnlineRecords } from '../online/records.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { onDemandViewsOf } from '../registry/references.ts';

export interface UsageFacts {
  /** Of everything that is applied. */
  read(): Promise<Usage>;
}

export interface WorkerUsage extends UsageFacts {
  /** `token` is its id. */
  count(token: string | undefined, plan: RetrievalPlan, request: { readonly service?: string | null }): void;
  stop(): Promise<void>;
}

export interface UsageParts {
  readonly records: OnlineRecords;
  registry(): RegistryDocument;
  tokens(): readonly TokenRecord[];
  readonly logger: Logger;
}

export function openUsage({ records, registry, tokens, logger }: UsageParts, drain: () => Promise<void>): WorkerUsage {
  const tally = createUsageTally({ records, logger });
  return {
    count(token, plan, { service }) {
      tally.read(plan, () => namesOfResolution(plan, service), readerOf(tokens(), token));
    },
    async read() {
      await Promise.all([drain(), tally.flush()]);
      return await readUsageOf(records, registry());
    },
    stop: tally.stop,
  };
}

/** Of everything in a document. */
export async function readUsageOf(
  records: OnlineRecords,
  registry: Pick<RegistryDocument, 'views' | 'onDemandViews' | 'services'>,
): Promise<Usage> {
  const views = [...registry.views, ...onDemandViewsOf(registry)].map(({ name }) => name);
  return await readUsage(records, { views, services: registry.services.map(({ name }) => name) });
}
