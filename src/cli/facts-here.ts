/** What the catalogue knows beside the definitions, without a server: from the sources, the online store and the logs of streams. */
import type { Config } from '../config.ts';
import type { History } from '../offline/history.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineStore } from '../online/store.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { type NewestEvent, sourceFactsOf } from '../serve/catalogue.ts';
import { createFreshness } from '../serve/freshness.ts';
import type { Context } from './context.ts';
import { streamsHere } from './streams-here.ts';
import { usageHere } from './usage-here.ts';

/** As `withApplied` gives them. */
export function factsHere(
  context: Context,
  [registry, history, store, config]: readonly [RegistryDocument, History, () => OnlineStore, Config],
): NewestEvent {
  const streams = streamsHere({ context, config, registry, store });
  const freshness = {
    read: async (views?: readonly string[]) => {
      const records = createOnlineRecords(store(), config.project);
      return await createFreshness({ records, registry: () => registry, listStreams: streams.list }).read(views);
    },
  };
  return sourceFactsOf(history, streams, usageHere(config, registry, store), freshness);
}
