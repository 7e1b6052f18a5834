/** OpenTelemetry behind the rooms' tracer: spans are batched and sent over OTLP by its own variables. Loaded only where it is asked for. */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type Context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { FeatureStoreError } from '../../errors.ts';
import type { Logger, Span, SpanOptions, TraceParent, Tracer } from '../../observe.ts';
import { productVersion } from '../../version.ts';

export interface OpenTracer extends Tracer {
  /** Sends what has ended so far, for 3 s at most. */
  close(): Promise<void>;
}

const closeMs = 3_000;
const kinds = { server: SpanKind.SERVER, internal: SpanKind.INTERNAL } as const;

export function createOtlpTracer(logger: Logger): OpenTracer {
  const named = resourceFromAttributes({ 'service.name': 'featherflight', 'service.version': productVersion });
  const resource = defaultResource()
    .merge(named)
    .merge(detectResources({ detectors: [envDetector] }));
  const spanProcessors = [new BatchSpanProcessor(tellFailures(new OTLPTraceExporter(), logger))];
  const provider = new BasicTracerProvider({ resource, spanProcessors });
  const tracer = provider.getTracer('featherflight', productVersion);
  const propagator = new W3CTraceContextPropagator();
  const running = new AsyncLocalStorage<Context>();

  async function span<T>(
    name: string,
    { kind = 'internal', parent, attributes }: SpanOptions,
    work: (span: Span) => Promise<T>,
  ): Promise<T> {
    const above = parent?.traceparent === undefined ? running.getStore() : contextOf(parent);
    const context = above ?? ROOT_CONTEXT;
    const one = tracer.startSpan(name, { kind: kinds[kind], attributes }, context);
    try {
      return await running.run(trace.setSpan(context, one), () => work(shown(one)));
    } catch (error) {
      // Messages name values and keys, which have no place in a trace.
      const code = error instanceof FeatureStoreError ? error.code : 'INTERNAL';
      one.setStatus({ code: SpanStatusCode.ERROR, message: code });
      one.setAttribute('error.type', code);
      throw error;
    } finally {
      one.end();
    }
  }

  function contextOf(parent: TraceParent): Context {
    return propagator.extract(ROOT_CONTEXT, parent, defaultTextMapGetter);
  }

  return {
    span,
    step: (name, attributes, work) => (running.getStore() === undefined ? work() : span(name, { attributes }, work)),
    parent() {
      const context = running.getStore();
      if (context === undefined) return undefined;
      const headers: { traceparent?: string; tracestate?: string } = {};
      propagator.inject(context, headers, defaultTextMapSetter);
      return headers;
    },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, closeMs);
      });
      // What could not be sent has been told by then.
      await Promise.race([provider.shutdown().catch(() => {}), late]);
      clearTimeout(timer);
    },
  };
}

function shown(span: OtelSpan): Span {
  return {
    set: (attributes) => void span.setAttributes(attributes),
    fail: (message) => void span.setStatus({ code: SpanStatusCode.ERROR, message }),
  };
}

/** The first failure is told, and that it works again; what a collector that is away misses is lost. */
function tellFailures(exporter: SpanExporter, logger: Logger): SpanExporter {
  let failing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== ExportResultCode.SUCCESS;
        if (failed && !failing)
          logger.warn({ error: String(result.error) }, 'traces could not be sent, and are lost until they can');
        if (!failed && failing) logger.info({}, 'traces are sent again');
        failing = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => await exporter.forceFlush?.(),
  };
}
