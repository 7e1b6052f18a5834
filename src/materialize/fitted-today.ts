/** Today's fitted defaults: computed from history once a UTC day for each feature that has one, and kept in the store (rules 5.3, 5.4). */

import { formatDay } from '../definitions/day.ts';
import type { Logger } from '../observe.ts';
import type { History } from '../offline/history.ts';
import { createOnlineRecords } from '../online/records.ts';
import { fittedDefinition, fittedFeatures, readFittedDefaults, writeFittedDefault } from '../online/retrieve/defaults.ts';
import type { OnlineStore } from '../online/store.ts';
import type { RegistryDocument, SourceDocument } from '../registry/document.ts';

export interface FittedParts {
  readonly history: Pick<History, 'fittedDefault'>;
  readonly store: OnlineStore;
  registry(): RegistryDocument;
  readonly logger: Logger;
  nowUs?(): bigint;
  /** Whether events of an event source from before an instant wait to be applied; without it none do. */
  isBehind?(source: string, instantUs: bigint): Promise<boolean>;
}

export interface FittedReport {
  /** `view:feature` of those computed now. */
  readonly computed: readonly string[];
  /** Those of today that the store has already. */
  readonly known: number;
  /** Those that could not be computed, or would lack events that wait: the last one is served until they can. */
  readonly failed: readonly string[];
}

const dayUs = 86_400_000_000n;

/** Computes those of today that the store does not have; one that fails is logged and does not stop the others. */
export async function fitToday(parts: FittedParts, signal: AbortSignal): Promise<FittedReport> {
  const { history, store, logger } = parts;
  const registry = parts.registry();
  const views = registry.views;
  const nowUs = parts.nowUs?.() ?? BigInt(Date.now()) * 1000n;
  const today = Number(nowUs / dayUs);
  const day = formatDay(today);
  // As the day of a number that is better than none, and is computed again.
  const yesterday = formatDay(today - 1);
  const records = createOnlineRecords(store, registry.project);
  const stored = await readFittedDefaults(records, views, signal);
  const computed: string[] = [];
  const failed: string[] = [];
  let known = 0;
  for (const view of views) {
    const source = registry.sources.find(({ name }) => name === view.source) as SourceDocument;
    let isBehind: boolean | undefined;
    for (const feature of fittedFeatures(view)) {
      signal.throwIfAborted();
      const name = `${view.name}:${feature.name}`;
      const last = stored.get(fittedDefinition(view, feature));
      if ((last?.day ?? '') >= day) {
        known += 1;
        continue;
      }
      try {
        isBehind ??= source.kind === 'event' && (await parts.isBehind?.(source.name, BigInt(today) * dayUs)) === true;
        if (isBehind && last !== undefined) {
          failed.push(name);
          logger.info({ feature: name }, "today's fitted default waits for events of yesterday that are not applied yet");
          continue;
        }
        const value = await history.fittedDefault(view, source, feature, today, signal);
        await writeFittedDefault(records, view, feature, { day: isBehind ? yesterday : day, value }, signal);
        computed.push(name);
      } catch (error) {
        signal.throwIfAborted();
        failed.push(name);
        logger.warn({ feature: name, error: String(error) }, "today's fitted default could not be computed");
      }
    }
  }
  if (computed.length > 0) logger.info({ day, computed }, 'fitted defaults computed');
  return { computed, known, failed };
}
