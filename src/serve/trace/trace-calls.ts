/** Calls to the worker as parts of the span that makes them. */
import type { Tracer } from '../../observe.ts';
import type { WorkerLink } from '../worker-link.ts';

/** The worker goes on with the caller's span; without a tracer these are the same calls. */
export function traceCalls(call: WorkerLink['call'], tracer: Tracer | undefined): WorkerLink['call'] {
  if (tracer === undefined) return call;
  return (name, input, options) => call(name, input, { ...options, trace: tracer.parent() });
}
