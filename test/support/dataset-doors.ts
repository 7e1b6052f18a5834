/** What a server does with datasets, over the shop of `dataset-shop.ts`, without the server. */
import { join } from 'node:path';
import type { Caller } from '../../src/access/caller.ts';
import { limitsSchema } from '../../src/config/sections.ts';
import type { CallContext } from '../../src/flight/protocol.ts';
import { silentLogger } from '../../src/observe.ts';
import { createDatasetActions, type DatasetActions } from '../../src/serve/dataset-actions.ts';
import { createQueryQueue } from '../../src/serve/query-queue.ts';
import { openUploadStore } from '../../src/serve/uploads.ts';
import type { DatasetShop } from './dataset-shop.ts';

/** Whoever may read every view, and whoever may read these. */
export const everybody: Caller = { token: undefined, name: 'all', scopes: ['admin'], views: undefined };
export const readerOf = (...views: string[]): Caller => ({
  token: views.join(),
  name: 'some',
  scopes: ['read-offline', 'write'],
  views,
});

export async function openDatasetActions({ datasets, history, registry, root }: DatasetShop): Promise<DatasetActions> {
  const limits = limitsSchema.parse({});
  return createDatasetActions({
    ...{ datasets, history, root, readable: ['/'], versions: 'featherflight test' },
    uploads: await openUploadStore(join(root, 'uploads'), limits, silentLogger),
    queue: createQueryQueue(limits),
    registry: () => registry,
    readDocument: () => registry,
  });
}

export const callContext: CallContext = {
  ...{ signal: new AbortController().signal, peer: 'here', token: undefined, headers: new Map() },
  abort() {},
};
