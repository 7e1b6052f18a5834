/** The two sides of a comparison, each a period of the log, a saved dataset or a training set, read for the features that both can have. */
import { formatInstantUs } from '../../definitions/literal.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import type { LogReader } from '../log/read-log.ts';
import type { OnProgress } from '../progress.ts';
import { findCommon, findHeld, type HeldFeatures, type SavedTable, tallyDataset } from './from-dataset.ts';
import { type TrainingFrame, tallyFrame } from './from-frame.ts';
import { tallyLog } from './from-log.ts';
import type { Period, Periods } from './periods.ts';
import type { DriftSide, DriftSummary } from './report.ts';
import type { DriftRequest, SavedReference } from './request.ts';
import type { Profile } from './tally.ts';

export interface SideParts {
  readonly log: LogReader;
  /** The training set that a request names; `close` is called once. */
  openFrame(request: Pick<DriftRequest, 'upload' | 'path'>): Promise<TrainingFrame & { close(): Promise<void> }>;
  /** A saved dataset, about `most` rows of it where it has more, from all of its places. */
  openDataset(reference: SavedReference, most: number): Promise<SavedTable>;
}

export interface Side {
  readonly shown: DriftSide;
  /** By `view:feature`. */
  readonly profiles: ReadonlyMap<string, Profile>;
}

export interface Sides {
  readonly reference: Side;
  readonly current: Side;
  /** What is not compared, though a side has it. */
  readonly skipped: DriftSummary['skipped'];
}

export interface SidesRequest {
  readonly request: DriftRequest;
  readonly periods: Periods;
  readonly registry: RegistryDocument;
  /** `view:feature`; undefined: all. */
  readonly wanted: ReadonlySet<string> | undefined;
}

interface OpenDataset {
  readonly table: SavedTable;
  readonly held: HeldFeatures;
}

const defaultRows = 100_000;
const partsOfPeriod = 24n;

export async function readSides(
  parts: SideParts,
  { request, periods, registry, wanted }: SidesRequest,
  signal: AbortSignal,
  onRows: OnProgress<number>,
): Promise<Sides> {
  const most = request.sample ?? defaultRows;
  const open: OpenDataset[] = [];
  const openOne = async (reference: SavedReference | null | undefined): Promise<OpenDataset | undefined> => {
    if (reference == null) return undefined;
    const table = await parts.openDataset(reference, most);
    open.push({ table, held: findHeld(table, registry) });
    return open.at(-1);
  };
  try {
    const saved = { reference: await openOne(request.reference), current: await openOne(request.current) };
    const tables = open.map(({ table, held }) => ({ dataset: table.dataset, held }));
    // A service may have what a dataset has not; a feature that is named is meant.
    const named = request.features == null ? [] : [...(wanted ?? [])];
    const { common, skipped } = tables.length === 0 ? { common: wanted, skipped: [] } : findCommon(tables, wanted, named);
    const options = { registry, wanted: common, partUs: null };
    const readPeriod = async ({ fromUs, toUs }: Period): Promise<Side> => {
      const period = { ...options, fromUs, toUs, partUs: (toUs - fromUs) / partsOfPeriod + 1n, rowsPerShape: most };
      const tallies = await tallyLog(parts.log, period, signal, onRows);
      const shown = { kind: 'log', from: formatInstantUs(fromUs), to: formatInstantUs(toUs), rows: tallies.rows() } as const;
      return { shown, profiles: tallies.finish() };
    };
    const readDataset = async ({ table, held }: OpenDataset): Promise<Side> => {
      const { rows, profiles } = await tallyDataset(table, held, { ...options, wanted: common ?? new Set() }, signal);
      await onRows(rows);
      const { dataset, split } = table;
      return { shown: { kind: 'dataset', dataset, split, from: null, to: null, rows }, profiles };
    };
    const readFrame = async (): Promise<Side & Pick<Sides, 'skipped'>> => {
      const frame = await parts.openFrame(request);
      try {
        const { tallies, skipped } = await tallyFrame(frame, options, request, signal);
        const shown = { kind: 'frame', from: null, to: null, rows: tallies.rows() } as const;
        return { shown, profiles: tallies.finish(), skipped };
      } finally {
        await frame.close();
      }
    };
    const readSide = async (table: OpenDataset | undefined, period: Period | undefined) =>
      table !== undefined ? await readDataset(table) : period !== undefined ? await readPeriod(period) : await readFrame();
    const reference = await readSide(saved.reference, periods.reference);
    const current = await readSide(saved.current, periods.current);
    const ofFrame = 'skipped' in reference ? (reference.skipped as Sides['skipped']) : [];
    return { reference, current, skipped: [...skipped, ...ofFrame] };
  } finally {
    for (const { table } of open) table.close();
  }
}
