/** Materialization and ticks of SQL sources, as the audit log tells it. */
import type { Acting } from '../../audit/acting.ts';
import { formatInstantUs } from '../../definitions/literal.ts';
import type { Materialize, MaterializeReport } from '../../materialize/materialize.ts';
import type { RunTicks, TickReport } from '../../materialize/run-ticks.ts';
import { isBusy } from '../../online/lease.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { batchViewsOf } from '../../registry/references.ts';

/** What another process is at is left to it, and what is cut short because a server stops is gone on with by the next. */
function failureOf(signal: AbortSignal | undefined): (error: unknown) => boolean {
  return (error) => !isBusy(error) && signal?.aborted !== true;
}

export function auditMaterialize(acting: Acting, materialize: Materialize, registry: () => RegistryDocument): Materialize {
  return (request, options = {}) =>
    acting.act(
      {
        action: 'materialize',
        names: request.views ?? batchViewsOf(registry()).map(({ name }) => name),
        details: { start: formatMaybe(request.startUs), end: formatMaybe(request.endUs) },
        tell: tellMaterialized,
        ...(acting.isUnasked
          ? {
              unasked: {
                isChange: ({ views }: MaterializeReport) => views.some(({ written }) => written > 0),
                isFailure: failureOf(options.signal),
              },
            }
          : {}),
      },
      (changed) =>
        materialize(request, {
          ...options,
          onProgress(progress) {
            if (progress.written > 0) changed();
            options.onProgress?.(progress);
          },
        }),
    );
}

/** `isPart`: of a materialization, which fails with it, and which changes nothing where no tick is due. */
export function auditTicks(acting: Acting, runTicks: RunTicks, { isPart = false } = {}): RunTicks {
  const isChange = ({ ran }: TickReport) => ran > 0;
  return (request, options = {}) =>
    acting.act(
      {
        action: 'run_sql',
        names: [request.source],
        details: {
          start: formatMaybe(request.startUs),
          end: formatMaybe(request.endUs),
          again: request.again === true,
        },
        tell: tellTicks,
        ...(isPart || acting.isUnasked
          ? { unasked: { isChange, isFailure: isPart ? () => false : failureOf(options.signal) } }
          : {}),
      },
      (changed) =>
        runTicks(request, {
          ...options,
          onProgress(progress) {
            if (progress.ran > 0) changed();
            options.onProgress?.(progress);
          },
        }),
    );
}

function tellMaterialized({ startUs, endUs, views }: MaterializeReport) {
  const written = views.reduce((total, view) => total + view.written, 0);
  return {
    what: `${written} rows written of ${views.map(({ view }) => view).join(', ') || 'no views'}, up to ${formatInstantUs(endUs)}`,
    names: views.map(({ view }) => view),
    details: {
      start: formatMaybe(startUs),
      end: formatInstantUs(endUs),
      views: views.map(({ view, rows, written, unchanged, skipped, erased }) => ({
        view,
        rows,
        written,
        unchanged,
        skipped,
        erased,
      })),
    },
  };
}

function tellTicks({ ran, skipped, rows, firstUs, lastUs }: TickReport) {
  const range =
    firstUs === undefined || lastUs === undefined ? '' : `, ${formatInstantUs(firstUs)} to ${formatInstantUs(lastUs)}`;
  return {
    what: `${ran} ${ran === 1 ? 'tick' : 'ticks'} ran with ${rows} rows${range}`,
    details: { first: formatMaybe(firstUs), last: formatMaybe(lastUs), ran, skipped, rows },
  };
}

function formatMaybe(us: bigint | undefined): string | null {
  return us === undefined ? null : formatInstantUs(us);
}
