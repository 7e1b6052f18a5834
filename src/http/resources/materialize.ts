/** POST /api/v1/materialize: the newest values of views into the online store; how far it is, line by line, to whoever asks for it. */

import { z } from 'zod';
import { requireViews } from '../../access/caller.ts';
import { asFeatureStoreError } from '../../errors.ts';
import { batchViewsOf } from '../../registry/references.ts';
import { errorReply } from '../error-reply.ts';
import type { HttpParts, MaterializeRequest } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';
import { nameSchema, validateBody } from '../validate.ts';

const instant = z.iso.datetime({ offset: true });

export const materializeRequestSchema = z
  .strictObject({
    views: z.array(nameSchema).min(1).nullish().describe('Absent: every view.'),
    start: instant.nullish().describe('Only rows from this event timestamp on; absent: whatever is new.'),
    end: instant.nullish().describe('Only rows up to this event timestamp; absent: now.'),
  })
  .meta({ id: 'materialize_request' });

const linesType = 'application/x-ndjson';

export function materialize({ writes, registry }: HttpParts): Resource {
  return {
    method: 'POST',
    path: '/api/v1/materialize',
    family: 'ours',
    scope: 'write',
    isLong: true,
    summary: `The newest values of views into the online store; with "accept: ${linesType}" progress line by line`,
    body: materializeRequestSchema,
    answers: z.record(z.string(), z.unknown()),
    async answer({ id, body, caller, headers, signal }) {
      const { views, start, end } = validateBody(materializeRequestSchema, body);
      const request = { views: views ?? undefined, start: start ?? undefined, end: end ?? undefined };
      requireViews(caller, views ?? batchViewsOf(registry()).map((view) => view.name));
      if (headers.accept?.includes(linesType) !== true) {
        return jsonReply(await writes.materialize(request, signal, () => {}));
      }
      return { status: 200, type: linesType, body: progressLines(writes, request, id, signal) };
    },
  };
}

/** `{"progress": …}` as it goes, then `{"done": …}` or `{"error": …}`: a stream without such an end was cut short. */
async function* progressLines(
  writes: HttpParts['writes'],
  request: MaterializeRequest,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let latest: unknown;
  let wake = () => {};
  let ended = false;
  const running = writes
    .materialize(request, signal, (progress) => {
      latest = progress;
      wake();
    })
    .finally(() => {
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
    if (progress !== undefined) yield `${JSON.stringify({ progress })}\n`;
  }
  try {
    yield `${JSON.stringify({ done: await running })}\n`;
  } catch (error) {
    yield `${errorReply('ours', asFeatureStoreError(error), id).body as string}\n`;
  }
}
