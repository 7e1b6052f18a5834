/** The parts of a server with spans around what takes their time; without a tracer they are the same parts. */
import type { FlightHandler, FlightMessage } from '../../flight/protocol.ts';
import type { Materialize } from '../../materialize/materialize.ts';
import type { Tracer } from '../../observe.ts';
import type { History } from '../../offline/history.ts';
import type { OnlineStore } from '../../online/store.ts';
import type { QueryQueue } from '../query-queue.ts';

/** Round trips that belong to a request, a run or a batch: what goes on by itself has no span to stand below. */
export function traceStore(store: OnlineStore, tracer: Tracer | undefined): OnlineStore {
  if (tracer === undefined) return store;
  return {
    ...store,
    read: (keys, signal) => tracer.step('online_store read', { keys: keys.length }, () => store.read(keys, signal)),
    replace: (replacements, signal) =>
      tracer.step('online_store replace', { keys: replacements.length }, () => store.replace(replacements, signal)),
  };
}

/** The wait for a turn. */
export function traceQueue(queue: QueryQueue, tracer: Tracer | undefined): QueryQueue {
  if (tracer === undefined) return queue;
  return {
    enter: (owner, signal) => tracer.step('historical queue', {}, () => queue.enter(owner, signal)),
    get running() {
      return queue.running;
    },
    get waiting() {
      return queue.waiting;
    },
  };
}

/** Sources read and sorted, where what is kept of them is not up to date. */
export function traceHistory(history: History, tracer: Tracer | undefined): History {
  if (tracer === undefined) return history;
  return {
    ...history,
    prepare: (plan, signal) =>
      tracer.step('historical sort', { lookups: plan.lookups.length }, () => history.prepare(plan, signal)),
  };
}

/** The first batch of an answer, which comes after its schema. */
export function traceAnswers(handler: FlightHandler, tracer: Tracer | undefined): FlightHandler {
  if (tracer === undefined) return handler;
  return {
    ...handler,
    doGet: (ticket, context) => traceFirstBatch(handler.doGet(ticket, context), tracer),
    doExchange: (upload, context) => traceFirstBatch(handler.doExchange(upload, context), tracer),
  };
}

async function* traceFirstBatch(messages: AsyncIterable<FlightMessage>, tracer: Tracer): AsyncGenerator<FlightMessage, void> {
  const iterator = messages[Symbol.asyncIterator]();
  try {
    const schema = await iterator.next();
    if (schema.done) return;
    yield schema.value;
    let next = await tracer.step('historical first_batch', {}, () => iterator.next());
    while (!next.done) {
      yield next.value;
      next = await iterator.next();
    }
  } finally {
    await iterator.return?.();
  }
}

/** Runs, whoever asked for them. */
export function traceMaterialize(materialize: Materialize, tracer: Tracer | undefined): Materialize {
  if (tracer === undefined) return materialize;
  return (request, options) =>
    tracer.span('materialize', { attributes: { views: request.views?.join(',') ?? 'all' } }, async (span) => {
      const report = await materialize(request, options);
      span.set({ views: report.views.map((each) => each.view).join(',') });
      return report;
    });
}
