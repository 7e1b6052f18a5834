/** Where pushed rows go: those of a batch source into its archive and the online store, events into the log that their stream reads. */
import { randomUUID } from 'node:crypto';
import { FeatureStoreError } from '../errors.ts';
import type { Pushes, PushOptions, PushReport } from '../materialize/push.ts';
import type { PushedRows } from '../offline/archive/writer.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { findNamed } from '../registry/references.ts';
import { type PushedEventsReport, pushEvents } from '../stream/push-events.ts';
import type { Streams } from '../stream/streams.ts';

export interface PushRouting extends Pick<Pushes, 'writeToOnlineStore'> {
  pushRows(source: string, rows: PushedRows, options?: PushOptions): Promise<PushReport | PushedEventsReport>;
}

export interface PushRoutingParts {
  readonly pushes: Pushes;
  readonly streams: Pick<Streams, 'pushLog'>;
  registry(): RegistryDocument;
}

export function createPushRouting({ pushes, streams, registry }: PushRoutingParts): PushRouting {
  return {
    writeToOnlineStore: pushes.writeToOnlineStore,
    async pushRows(name, rows, options = {}) {
      const source = findNamed(registry().sources, 'source', name);
      if (source.kind !== 'event') return await pushes.pushRows(name, rows, options);
      if ((options.to ?? 'online_and_offline') !== 'online_and_offline') {
        throw new FeatureStoreError(
          'INVALID_ARGUMENT',
          `"${name}" is an event source: its events count in training and online alike, so leave out \`to\``,
          { details: { source: name } },
        );
      }
      return await pushEvents(source, streams.pushLog(name), rows, options.idempotencyKey ?? randomUUID());
    },
  };
}
