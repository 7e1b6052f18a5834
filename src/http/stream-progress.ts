/** What takes long tells how far it is as it goes, and at its end what it gives: over Flight and HTTP alike. */
import { asFeatureStoreError } from '../errors.ts';
import { errorReply } from './error-reply.ts';
import { jsonReply, type Reply, type ResourceRequest } from './resource.ts';

/** Does the work, and is told with each call how far it is. */
export type LongWork<Progress = unknown> = (onProgress: (progress: Progress) => void) => Promise<unknown>;

export const linesType = 'application/x-ndjson';

/** `{"progress": …}`, the latest where the reader is slow, then `{"done": …}`; a failure ends it with its error. */
export async function* streamProgress<Progress>(work: LongWork<Progress>): AsyncGenerator<Readonly<Record<string, unknown>>> {
  let latest: Progress | undefined;
  let ended = false;
  let wake = () => {};
  const running = work((progress) => {
    latest = progress;
    wake();
  }).finally(() => {
    ended = true;
    wake();
  });
  running.catch(() => {});
  while (!ended) {
    await new Promise<void>((resolve) => {
      wake = resolve;
      if (ended || latest !== undefined) resolve();
    });
    const progress = latest;
    latest = undefined;
    if (progress !== undefined) yield { progress };
  }
  yield { done: await running };
}

/** The result as JSON or, to whoever accepts lines, line by line how far it is and at last the result or the error. */
export async function replyWithProgress({ id, headers }: ResourceRequest, work: LongWork): Promise<Reply> {
  if (headers.accept?.includes(linesType) !== true) return jsonReply(await work(() => {}));
  return { status: 200, type: linesType, body: encodeLines(work, id) };
}

/** A stream that ends neither with `{"done": …}` nor with `{"error": …}` was cut short. */
async function* encodeLines(work: LongWork, id: string): AsyncGenerator<string> {
  try {
    for await (const line of streamProgress(work)) yield `${JSON.stringify(line)}\n`;
  } catch (error) {
    yield `${errorReply('ours', asFeatureStoreError(error), id).body as string}\n`;
  }
}
