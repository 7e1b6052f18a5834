/** The logs of an event source: what is pushed to it, and the stream that it declares. */
import type { Logger } from '../observe.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineStore } from '../online/store.ts';
import type { SourceDocument, StreamDocument } from '../registry/document.ts';
import { compileDecoder } from './decode/compile-decoder.ts';
import type { DecodeEvents } from './decode/decoded-events.ts';
import { openKafkaLog } from './log/kafka.ts';
import type { StreamLog } from './log/log.ts';
import { openPushLog, type PushLog } from './log/push-log.ts';
import { openRedisStreamLog } from './log/redis-stream.ts';

export interface SourceLogs {
  readonly push: PushLog;
  /** undefined where the source declares none; FAILED_PRECONDITION where a secret or a file that it needs is missing. */
  openStream(): DeclaredStream | undefined;
}

export interface DeclaredStream {
  readonly log: StreamLog;
  readonly decode: DecodeEvents;
  readonly from: 'earliest' | 'latest';
}

export interface OpenLogsParts {
  readonly store: OnlineStore;
  readonly project: string;
  readonly root: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly logger: Logger;
}

/** Opens the logs; they connect when they are read. */
export function openSourceLogs(parts: OpenLogsParts, source: SourceDocument): SourceLogs {
  const { store, project, directory, logger } = parts;
  const push = openPushLog({ source: source.name, records: createOnlineRecords(store, project), directory, logger });
  return { push, openStream: () => (source.stream === undefined ? undefined : openDeclared(parts, source, source.stream)) };
}

function openDeclared(parts: OpenLogsParts, source: SourceDocument, stream: StreamDocument): DeclaredStream {
  const { project, root, environment, logger } = parts;
  const options = { project, source: source.name, root, environment, logger };
  return {
    log: stream.kind === 'kafka' ? openKafkaLog({ ...options, stream }) : openRedisStreamLog({ ...options, stream }),
    // Fields of an entry are text, of which a format knows nothing.
    decode: compileDecoder(source, { format: stream.format, isText: stream.kind === 'redisStream' }),
    from: stream.from,
  };
}
