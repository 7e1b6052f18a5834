/** Traces where the environment asks for them (OpenTelemetry's own variables); elsewhere nothing of it is even loaded. */
import type { Logger } from '../../observe.ts';
import type { OpenTracer } from './otlp-tracer.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Never fails: a server without its traces serves. */
export async function openTracer(environment: Environment, logger: Logger): Promise<OpenTracer | undefined> {
  if (!isAsked(environment) || problemOf(environment) !== undefined) return undefined;
  try {
    const { createOtlpTracer } = await import('./otlp-tracer.ts');
    return createOtlpTracer(logger);
  } catch (error) {
    logger.warn({ error: String(error) }, 'nothing is traced: the exporter could not be made');
    return undefined;
  }
}

/** Says why traces that are asked for are not sent. */
export function warnOfTraces(environment: Environment, logger: Logger): void {
  const problem = isAsked(environment) ? problemOf(environment) : undefined;
  if (problem !== undefined) logger.warn({}, `nothing is traced: ${problem}`);
}

function isAsked(environment: Environment): boolean {
  const off = environment.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || environment.OTEL_TRACES_EXPORTER === 'none';
  return !off && endpointOf(environment) !== undefined;
}

function endpointOf(environment: Environment): string | undefined {
  return environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || environment.OTEL_EXPORTER_OTLP_ENDPOINT || undefined;
}

function problemOf(environment: Environment): string | undefined {
  const exporter = environment.OTEL_TRACES_EXPORTER || 'otlp';
  if (exporter !== 'otlp') return `OTEL_TRACES_EXPORTER is "${exporter}", and only otlp is known`;
  const protocol = environment.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL || environment.OTEL_EXPORTER_OTLP_PROTOCOL || 'http/protobuf';
  if (protocol !== 'http/protobuf')
    return `OTEL_EXPORTER_OTLP_PROTOCOL is "${protocol}", and only http/protobuf is spoken (a collector's port 4318)`;
  const endpoint = endpointOf(environment) as string;
  const isAddress = URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol);
  return isAddress ? undefined : `the OTLP endpoint "${endpoint}" is no http:// or https:// address`;
}
