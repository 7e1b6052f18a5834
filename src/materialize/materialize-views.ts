/** Brings views with the same join keys up to date in the online store. */
import type { ViewDocument } from '../registry/document.ts';
import { openViewRun, type ViewProgress, type ViewRun, type ViewRunOptions } from './view-run.ts';
import { writeViews } from './write-views.ts';

export interface MaterializeViewsOptions extends ViewRunOptions {
  onProgress?(progress: ViewProgress): void;
}

/** How much of the memory for sources the parts of views may take that are read at the same time. */
const memoryShare = 0.5;

/** All of them: no watermark moves before everything is written. */
export async function materializeViews(
  options: MaterializeViewsOptions,
  views: readonly ViewDocument[],
  signal: AbortSignal,
): Promise<ViewProgress[]> {
  const runs: ViewRun[] = [];
  try {
    for (const view of views) runs.push(await openViewRun(options, view, signal));
    const { project } = options.registry;
    for (const pass of fitPasses(runs)) await writeViews({ ...options, project }, pass);
    const done: ViewProgress[] = [];
    for (const run of runs) done.push(await run.finish());
    return done;
  } finally {
    await Promise.all(runs.map((run) => run.close()));
  }
}

/** As few passes as their memory allows: each view is held in memory one bucket at a time. */
function fitPasses(runs: readonly ViewRun[]): ViewRun[][] {
  const passes: ViewRun[][] = [];
  let taken = Number.POSITIVE_INFINITY;
  for (const run of runs) {
    const share = run.projection.share / Math.max(1, run.projection.buckets);
    if (taken + share > memoryShare) {
      passes.push([]);
      taken = 0;
    }
    passes.at(-1)?.push(run);
    taken += share;
  }
  return passes;
}
