/** What is done with streams of event sources, as the audit log tells it. */
import type { Acting } from '../../audit/acting.ts';
import type { Told } from '../../audit/audit.ts';
import type { ShownReplay, ShownReset } from '../../http/stream-answers.ts';
import type { FillReport } from '../../stream/fill-features.ts';
import type { StreamActions } from '../stream-actions.ts';

export function auditStreams(acting: Acting, actions: StreamActions): StreamActions {
  return {
    ...actions,
    reset: (source, request, signal, onProgress) =>
      auditReset(
        acting,
        source,
        request,
        () => actions.reset(source, request, signal, onProgress) as Promise<ShownReset & Report>,
      ),
    replay: (source, request, signal, onProgress) =>
      auditReplay(
        acting,
        source,
        request,
        () => actions.replay(source, request, signal, onProgress) as Promise<ShownReplay & Report>,
      ),
  };
}

type Report = Readonly<Record<string, unknown>>;

export async function auditReset<T extends ShownReset>(
  acting: Acting,
  source: string,
  request: { readonly from: unknown; readonly new_log?: boolean },
  work: () => Promise<T>,
): Promise<T> {
  const { from, new_log } = request;
  const tell = ({ partitions, views }: T): Told => ({
    what: `read on from ${partitions.map(({ partition, next }) => `${partition}=${next}`).join(', ') || 'nothing'}; ${listFilled(views)}`,
    details: { from, new_log: new_log === true, partitions, views },
  });
  return await acting.act({ action: 'reset_source', names: [source], details: { from, new_log: new_log === true }, tell }, work);
}

export async function auditReplay<T extends Pick<ShownReplay, 'views'>>(
  acting: Acting,
  source: string,
  range: { readonly from?: string | null; readonly to?: string | null },
  work: () => Promise<T>,
): Promise<T> {
  const details = { from: range.from ?? null, to: range.to ?? null };
  const tell = ({ views }: T): Told => ({ what: listFilled(views), details: { ...details, views } });
  return await acting.act({ action: 'replay_source', names: [source], details, tell }, work);
}

/** Of features that a server filled from history by itself: after a crash, or where another process had applied. */
export function tellFilled(source: string, views: FillReport['views']): Told {
  return { names: [source, ...views.map(({ view }) => view)], what: listFilled(views), details: { source, views } };
}

function listFilled(views: FillReport['views']): string {
  if (views.length === 0) return 'nothing to fill';
  return `filled ${views.map(({ view, keys, events }) => `${view} (${keys} keys of ${events} events)`).join(', ')}`;
}
