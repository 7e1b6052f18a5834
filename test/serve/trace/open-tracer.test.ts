/** Without a collector a server is as it was before there were traces: the same parts, and nothing loaded. */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Respond } from '../../../src/http/respond.ts';
import { traceRequests } from '../../../src/http/trace-requests.ts';
import type { Materialize } from '../../../src/materialize/materialize.ts';
import type { OnlineStore } from '../../../src/online/store.ts';
import { traceCalls } from '../../../src/serve/trace/trace-calls.ts';
import { traceMaterialize, traceStore } from '../../../src/serve/trace/trace-parts.ts';
import type { WorkerLink } from '../../../src/serve/worker-link.ts';
import type { ApplyBatch } from '../../../src/stream/apply-batch.ts';
import { traceBatches } from '../../../src/stream/trace-batches.ts';
import { runProgram } from '../../support/run-program.ts';

describe('without a collector', () => {
  it('every part is itself', () => {
    const [respond, store, materialize] = [
      (() => {}) as unknown as Respond,
      {} as OnlineStore,
      (() => {}) as unknown as Materialize,
    ];
    const [apply, call] = [(() => {}) as unknown as ApplyBatch, (() => {}) as unknown as WorkerLink['call']];
    expect(traceRequests(respond, undefined)).toBe(respond);
    expect(traceStore(store, undefined)).toBe(store);
    expect(traceMaterialize(materialize, undefined)).toBe(materialize);
    expect(traceBatches(apply, 'clicks', undefined)).toBe(apply);
    expect(traceCalls(call, undefined)).toBe(call);
  });

  it.each([
    ['nothing of the exporter is loaded', {}, false],
    ['and with one it is', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, true],
  ])('%s', async (_what, environment, isLoaded) => {
    const built = fileURLToPath(new URL('../../../dist/serve', import.meta.url));
    const script = `
      import { createRequire } from 'node:module';
      await import('${built}/server.js');
      const { openTracer } = await import('${built}/trace/open-tracer.js');
      const logger = { debug() {}, info() {}, warn() {}, error() {} };
      const tracer = await openTracer(${JSON.stringify(environment)}, logger);
      const loaded = Object.keys(createRequire(import.meta.url).cache).some((path) => /@opentelemetry.(sdk|exporter|core)/.test(path));
      console.log(JSON.stringify({ tracer: tracer !== undefined, loaded }));`;
    const { stdout, stderr } = await runProgram(process.execPath, ['--input-type=module', '-e', script]);
    expect(JSON.parse(stdout), stderr).toEqual({ tracer: isLoaded, loaded: isLoaded });
  });
});
