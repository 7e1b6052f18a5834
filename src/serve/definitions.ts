/** Plan and apply in a server: its own repository read again, what was read of late kept, one apply at a time. */
import type { Datasets } from '../dataset/datasets.ts';
import { withDatasets } from '../dataset/made-of.ts';
import { checkRefused, findRefused } from '../lifecycle/refuse-losses.ts';
import type { Logger } from '../observe.ts';
import { applyPlanned } from '../registry/apply.ts';
import type { RegistryDocument } from '../registry/document.ts';
import type { StateStore } from '../registry/state.ts';
import type { OnFilling, Streams } from '../stream/streams.ts';
import { planApart } from './repository-task.ts';
import type { UsageFacts } from './usage.ts';
import type { Place } from './worker-messages.ts';

export interface ApplyOptions {
  /** Also where something goes that was read of late. */
  readonly force?: boolean;
}

export interface Definitions {
  /** What apply would change now, and what of it is refused. */
  plan(): Promise<unknown>;
  /** Resolves with what changed; `onProgress` is told while features of stream views are filled. */
  apply(onProgress: OnFilling, options?: ApplyOptions): Promise<unknown>;
  /** Resolves when no apply runs. */
  settled(): Promise<void>;
}

export interface DefinitionParts {
  readonly place: Place;
  readonly state: StateStore;
  readonly streams: Pick<Streams, 'prepare' | 'start'>;
  readonly usage: UsageFacts;
  /** What was saved of earlier definitions. */
  readonly datasets: Pick<Datasets, 'list'>;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
  registry(): RegistryDocument;
  /** What is applied is another now. */
  onApplied(registry: RegistryDocument): Promise<void>;
}

export function createDefinitions(parts: DefinitionParts): Definitions {
  const { place, state, streams, usage, logger, stopping } = parts;
  let applying: Promise<unknown> = Promise.resolve();

  async function planNow() {
    const before = state.readDocument();
    const planned = await planApart(place, before);
    return { planned, refused: await findRefused(before, planned.document, usage.read) };
  }

  async function applyNow(onProgress: OnFilling, force: boolean) {
    const { planned, refused } = await planNow();
    if (!force) checkRefused(refused);
    let registry = parts.registry();
    try {
      registry = await applyPlanned(planned, state, new Date().toISOString(), (next) =>
        streams.prepare(next, stopping, onProgress),
      );
      await parts.onApplied(registry);
    } finally {
      streams.start(parts.registry());
    }
    const { changes } = planned.plan;
    logger.info({ version: registry.version, changes: changes.length, forced: refused.length }, 'definitions applied');
    return { version: registry.version, changes };
  }

  return {
    async plan() {
      const { planned, refused } = await planNow();
      const changes = withDatasets(planned.plan.changes, await parts.datasets.list());
      return { version: planned.baseVersion, changes, refused };
    },
    apply(onProgress, { force = false } = {}) {
      const run = applying.catch(() => {}).then(() => applyNow(onProgress, force));
      applying = run;
      return run;
    },
    settled: () =>
      applying.then(
        () => {},
        () => {},
      ),
  };
}
