/** What a server tells of event sources' streams and does with them, whichever door it is asked at. */

import type { ShownStream } from '../http/stream-answers.ts';
import type { ReplayRequest, ResetRequest, SetAsideRequest } from '../http/stream-requests.ts';
import type { SetAside } from '../offline/archive/set-aside.ts';
import type { RegistryDocument } from '../registry/document.ts';
import type { OnFilling, Streams } from '../stream/streams.ts';
import { showSetAside } from './show-set-aside.ts';
import { describeReset, readReplay, readReset } from './stream-requests.ts';
import { findEventSource, type StreamStatus } from './stream-status.ts';

type Report = Readonly<Record<string, unknown>>;

export interface StreamActions {
  /** All, in the order of their sources, or that of one. */
  list(source: string | undefined, signal?: AbortSignal): Promise<readonly ShownStream[]>;
  setAside(source: string, request: SetAsideRequest): Promise<Report>;
  reset(source: string, request: ResetRequest, signal: AbortSignal, onProgress?: OnFilling): Promise<Report>;
  replay(source: string, request: ReplayRequest, signal: AbortSignal, onProgress?: OnFilling): Promise<Report>;
}

export interface StreamActionParts {
  readonly streams: Pick<Streams, 'reset' | 'replay'>;
  readonly status: StreamStatus;
  readonly setAside: Pick<SetAside, 'list'>;
  registry(): Pick<RegistryDocument, 'sources'>;
}

export function createStreamActions({ streams, status, setAside, registry }: StreamActionParts): StreamActions {
  const find = (name: string) => findEventSource(registry().sources, name);
  return {
    list: (source, signal) => status.read(source, signal),
    setAside: (source, request) => showSetAside(setAside, find(source), request),
    async reset(name, request, signal, onProgress) {
      const source = find(name);
      return describeReset(source, await streams.reset(name, readReset(request), signal, onProgress));
    },
    async replay(name, request, signal, onProgress) {
      find(name);
      return { source: name, views: (await streams.replay(name, readReplay(request), signal, onProgress)).views };
    },
  };
}
