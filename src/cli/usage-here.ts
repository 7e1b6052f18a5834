/** Who has read what, from the records of the online store, without a server: those of the last minute it may still hold. */
import type { Config } from '../config.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineStore } from '../online/store.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { readUsageOf, type UsageFacts } from '../serve/usage.ts';

export function usageHere(
  { project }: Pick<Config, 'project'>,
  registry: Pick<RegistryDocument, 'views' | 'onDemandViews' | 'services'>,
  store: () => OnlineStore,
): UsageFacts {
  return { read: async () => await readUsageOf(createOnlineRecords(store(), project), registry) };
}
