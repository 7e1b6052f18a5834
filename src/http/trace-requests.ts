/** A span around each request, below the caller's own where its headers name one; probes and scrapes have none. */
import type { Tracer } from '../observe.ts';
import type { Respond } from './respond.ts';

export function traceRequests(respond: Respond, tracer: Tracer | undefined): Respond {
  if (tracer === undefined) return respond;
  return (resource, params, request, response) => {
    if (resource.isVital) return respond(resource, params, request, response);
    const { method, path } = resource;
    const { traceparent, tracestate, 'x-request-id': sentId } = request.headers as Readonly<Record<string, string | undefined>>;
    const attributes = { 'http.request.method': method, 'http.route': path, ...(sentId && { request_id: sentId }) };
    return tracer.span(`${method} ${path}`, { kind: 'server', parent: { traceparent, tracestate }, attributes }, async (span) => {
      await respond(resource, params, request, response);
      const status = response.statusCode;
      span.set({ 'http.response.status_code': status });
      if (status >= 500) span.fail(`answered with status ${status}`);
    });
  };
}
