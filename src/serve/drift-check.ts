/** Checks of drift by a server, and on the state of a repository: the log, thresholds of the config, and training sets that clients name. */
import type { Config } from '../config.ts';
import type { Datasets } from '../dataset/datasets.ts';
import { pinDatasets, viewsDrifting } from '../http/resources/validate-drift.ts';
import type { History } from '../offline/history.ts';
import type { RegistryDocument } from '../registry/document.ts';
import { findNamed } from '../registry/references.ts';
import { createDriftCheck, type DriftParts } from '../validate/drift/check.ts';
import { parseDriftRequest } from '../validate/drift/request.ts';
import type { LogReader } from '../validate/log/read-log.ts';
import { hasFeature } from '../validate/parity/versions.ts';
import { datasetsFor } from './dataset-access.ts';
import { findFrame } from './entity-frame.ts';
import { createMemoryBudget, frameMemory } from './memory-budget.ts';
import { openSavedTable } from './saved-table.ts';
import type { UploadStore } from './uploads.ts';
import type { Check } from './validations.ts';

export interface DriftCheckParts {
  readonly config: Config;
  readonly history: History;
  readonly datasets: Pick<Datasets, 'open' | 'seenBy'>;
  registry(): RegistryDocument;
  readonly log: LogReader;
  /** Resolves when all that was served before is in the log. */
  flushLog(): Promise<void>;
}

/** `openFrame` finds the training set that a request names. */
export function createDrift(parts: DriftCheckParts, openFrame: DriftParts['openFrame']): Check {
  const { config, history, datasets, registry, log } = parts;
  const check = createDriftCheck({
    ...{ registry, log, openFrame, isLogging: config.logging !== undefined },
    openDataset: (reference, most) => openSavedTable({ datasets, engine: history.engine }, reference, most),
    newestEventUs: (source) => history.newestEventUs(findNamed(registry().sources, 'source', source)),
  });
  return {
    async run(input, signal, onProgress) {
      const request = parseDriftRequest(input);
      await parts.flushLog();
      const ours = Object.entries(config.validate?.drift?.thresholds ?? {}).filter(([name]) => isDefined(registry(), name));
      return await check(
        { ...request, thresholds: { ...Object.fromEntries(ours), ...request.thresholds } },
        { signal, onProgress },
      );
    },
    async pin(input, caller) {
      const doors = datasetsFor(datasets, caller);
      return await pinDatasets(parseDriftRequest(input), async (dataset) => (await doors.find(dataset)).manifest);
    },
    viewsOf: (input) => viewsDrifting(registry(), parseDriftRequest(input)),
  };
}

/** Training sets among what was uploaded, and in files that clients may name. */
export function openNamedFrames(parts: DriftCheckParts & { readonly uploads: UploadStore }): DriftParts['openFrame'] {
  const { root, readable } = parts.config;
  const memory = createMemoryBudget(frameMemory);
  const frames = { uploads: parts.uploads, engine: parts.history.engine, root, readable, memory };
  return async ({ upload, path }) => {
    const named = await findFrame(frames, { upload, path }, 'validate drift');
    const { schema, batches } = await named.open().catch(async (error) => {
      await named.close();
      throw error;
    });
    return { schema, batches: (maxRows, signal) => batches(maxRows, signal), close: named.close };
  };
}

/** Thresholds that the config gives to what is not applied any more say nothing. */
function isDefined(registry: RegistryDocument, name: string): boolean {
  const [view = '', feature = ''] = name.split(':');
  return hasFeature(registry, view, feature);
}
