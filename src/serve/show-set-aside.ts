/** Events that were set aside as JSON: bytes as text where they are UTF-8, else in base64. */
import { isUtf8 } from 'node:buffer';
import { formatInstantUs } from '../definitions/literal.ts';
import type { ShownSetAsideEvent, ShownSetAsideReport } from '../http/stream-answers.ts';
import type { SetAsideRequest } from '../http/stream-requests.ts';
import type { SetAside, ShownSetAside } from '../offline/archive/set-aside.ts';
import type { SourceDocument } from '../registry/document.ts';
import { formatOffset } from './stream-offset.ts';

export type { ShownSetAsideReport };

/** The newest of a source's, and how many there are by reason. */
export async function showSetAside(
  setAside: Pick<SetAside, 'list'>,
  source: SourceDocument,
  { limit, partition, reason }: SetAsideRequest,
): Promise<ShownSetAsideReport & Readonly<Record<string, unknown>>> {
  const { events, total, counts, removed } = await setAside.list(source.name, { limit, partition, reason });
  return { source: source.name, total, removed, counts: { ...counts }, events: events.map((event) => showEvent(source, event)) };
}

function showEvent(source: SourceDocument, event: ShownSetAside): ShownSetAsideEvent {
  const { partition, clockUs, offset, reason, bytes, value } = event;
  const isText = value !== null && isUtf8(value);
  return {
    partition,
    offset: formatOffset(source, partition, offset),
    set_aside_at: formatInstantUs(clockUs),
    reason,
    bytes,
    encoding: value === null ? null : isText ? 'utf8' : 'base64',
    value: value === null ? null : Buffer.from(value).toString(isText ? 'utf8' : 'base64'),
    is_truncated: (value?.length ?? 0) < bytes,
  };
}
