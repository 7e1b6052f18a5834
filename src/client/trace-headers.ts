/** What tells a server below which span of the caller's it works: nothing where the caller's program traces nothing. */
import { context, propagation } from '@opentelemetry/api';

export function traceHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}
