/** What holds a version against deletion while it is read: rows, their plans and vocabularies. */
import { describe, expect, it } from 'vitest';
import { createRowCaches } from '../../src/dataset/row-caches.ts';
import type { FlightInfo } from '../../src/flight/protocol.ts';
import type { Engine } from '../../src/offline/duckdb/engine.ts';
import { listDatasetFlights } from '../../src/serve/dataset-flight.ts';
import { createDatasetRows } from '../../src/serve/dataset-rows.ts';
import { callContext, everybody, openDatasetActions } from '../support/dataset-doors.ts';
import { type DatasetShop, openDatasetShop, userFrame } from '../support/dataset-shop.ts';

const free = { by: null, force: false };

/** The shop's engine, which lets somebody else go first whenever it is asked. */
function withEngine(shop: DatasetShop, meanwhile: () => Promise<unknown>): DatasetShop {
  const { engine } = shop.history;
  const session: Engine['session'] = async (signal, work) => {
    await meanwhile();
    return await engine.session(signal, work);
  };
  return { ...shop, history: { ...shop.history, engine: { ...engine, session } } };
}

describe('a version', () => {
  it('is not deleted while a plan or a vocabulary is read of it', async () => {
    const shop = await openDatasetShop(5);
    await shop.create({ name: 'held' }, userFrame(10));
    const refused: unknown[] = [];
    const told = withEngine(shop, async () => {
      await shop.datasets.remove('held@1', free).catch((error: { code: string }) => refused.push(error.code));
    });
    const rows = createDatasetRows({
      ...{
        datasets: shop.datasets,
        engine: told.history.engine,
        caches: createRowCaches({ blockBytes: 2 ** 20, vocabularyBytes: 0 }),
        secret: 'a secret',
      },
      callerOf: () => everybody,
    });
    const command = { type: 'get_dataset', dataset: 'held', dense: [{ name: 'm', columns: ['city'], type: 'int64' }] };
    const info = await rows.describe(command, { type: 'cmd', cmd: new Uint8Array(0) }, callContext);
    expect(info.totalRecords).toBe(10n);
    await rows.schema(command, callContext);
    const actions = await openDatasetActions(told);
    expect(await actions.vocabulary('held', 'city', everybody)).toEqual(['city 0', 'city 1', 'city 2', 'city 3', 'city 4']);
    expect(refused).toEqual(['FAILED_PRECONDITION', 'FAILED_PRECONDITION', 'FAILED_PRECONDITION']);
    await expect.poll(() => shop.datasets.remove('held@1', free).then(() => 'gone')).toBe('gone');
  });

  it('that is deleted or damaged while flights are listed hides no other', async () => {
    const shop = await openDatasetShop(5);
    for (const name of ['a', 'b', 'c']) await shop.create({ name }, userFrame(10));
    const flights = listDatasetFlights(await openDatasetActions(shop), everybody);
    const names: unknown[] = [(await flights.next()).value];
    await shop.datasets.remove('b@1', free);
    for await (const flight of flights) names.push(flight);
    expect((names as FlightInfo[]).map(({ descriptor }) => descriptor)).toEqual(
      ['a@1', 'c@1'].map((name) => ({ type: 'path', path: ['datasets', name] })),
    );
  });
});
