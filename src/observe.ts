/** What the rooms need of logging, so that none of them imports a logger: the process passes one in. */

export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Says nothing: for embedding programs and tests that do not look at logs. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};

/** What the rooms need of tracing; without one, nothing is traced and nothing is paid. */
export interface Tracer {
  /** Runs work in a span: below the given parent, else below the one that is running. It tells of what work throws, and throws it. */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>;
  /** The same, but only below a span that is running: elsewhere the work runs untraced. */
  step<T>(name: string, attributes: SpanAttributes, work: () => Promise<T>): Promise<T>;
  /** The running span, for whoever goes on with it elsewhere. */
  parent(): TraceParent | undefined;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  /** `server` where a request of somebody else begins here. */
  readonly kind?: 'server' | 'internal';
  readonly parent?: TraceParent;
  readonly attributes: SpanAttributes;
}

/** W3C Trace Context, as it stands in headers. */
export interface TraceParent {
  readonly traceparent?: string;
  readonly tracestate?: string;
}

export interface Span {
  set(attributes: SpanAttributes): void;
  /** It ends as one that failed, though nothing is thrown. */
  fail(message: string): void;
}
