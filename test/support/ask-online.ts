/** Asks for online features in this process, with a clock and definitions of the test's own. */
import { statusNames } from '../../src/definitions/status.ts';
import { silentLogger } from '../../src/observe.ts';
import type { OnlineAnswer } from '../../src/online/retrieve/answer.ts';
import { createOnlineFacts } from '../../src/online/retrieve/facts.ts';
import { createOnlineFeatures } from '../../src/online/retrieve/retrieve.ts';
import type { OnlineStore } from '../../src/online/store.ts';
import type { ParitySetting, ServedColumn } from './online-parity.ts';

/** `check` is told every answer before it is given. */
export function askInProcess(
  store: OnlineStore,
  check: (answer: OnlineAnswer) => Promise<void> = async () => {},
): ParitySetting['ask'] {
  return async (registry, atUs, request) => {
    const { project } = registry;
    const facts = createOnlineFacts({
      store,
      project,
      registry: () => registry,
      readMaterialized: async (views) => views.map(() => true),
      logger: silentLogger,
    });
    try {
      await facts.load();
      const features = createOnlineFeatures({ store, project, registry: () => registry, facts, nowUs: () => atUs });
      const answer = await features.get(request);
      await check(answer);
      return servedColumns(answer);
    } finally {
      facts.close();
    }
  };
}

export function servedColumns({ columns }: OnlineAnswer): ServedColumn[] {
  return columns.map(({ name, type, values, statuses, isDefault, eventUs }) => ({
    name,
    type,
    values,
    statuses: Array.from(statuses, (status) => statusNames[status] as string),
    eventUs,
    isDefault: Array.from(isDefault, (flag) => flag === 1),
  }));
}
