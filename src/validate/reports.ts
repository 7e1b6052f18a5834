/** Stored reports: a JSON file each, under storage/reports/KIND/CREATED-ID.json; of each kind the newest are kept. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FeatureStoreError } from '../errors.ts';

export const reportKinds = ['parity', 'leaks', 'drift', 'health'] as const;

export type ReportKind = (typeof reportKinds)[number];

/** What every report begins with. */
export interface ReportEnvelope {
  readonly id: string;
  readonly kind: ReportKind;
  /** ISO instant. */
  readonly created_at: string;
  readonly from: string | null;
  readonly to: string | null;
  readonly result: 'PASS' | 'FAIL' | 'NO DATA';
  readonly summary: unknown;
  /** Features that are not shown to this caller; absent where all are. */
  readonly left_out?: number;
}

export interface ReportQuery {
  /** Of all kinds when absent. */
  readonly kind?: ReportKind | undefined;
  /** The newest so many. */
  readonly limit?: number | undefined;
  /** Leaves out what is not to be seen, or all of it. */
  readonly narrow?: Narrow | undefined;
}

/** A report as it may be seen; undefined where none of it may. */
export type Narrow = (report: ReportEnvelope) => ReportEnvelope | undefined;

export interface Reports {
  /** On the disk when it resolves. */
  keep(report: ReportEnvelope): Promise<void>;
  /** The newest first, without what they tell of single features. */
  list(query?: ReportQuery): Promise<readonly ReportEnvelope[]>;
  /** Those of a kind, the newest first, each with what reads it whole. */
  files(kind: ReportKind): Promise<readonly ReportFile[]>;
  /** NOT_FOUND where there is none, or no more. */
  read(id: string): Promise<ReportEnvelope>;
}

export interface ReportFile {
  readonly name: string;
  /** undefined where it is gone by then, or is damaged. */
  read(): Promise<ReportEnvelope | undefined>;
}

export interface ReportsOptions {
  /** The folder `reports` in the storage. */
  readonly directory: string;
  /** Reports of a kind; default 500. */
  readonly most?: number;
  /** Told of each file that is no report, whenever it is come across: the others are read all the same. */
  onDamaged?(path: string): void;
}

export function openReports({ directory, most = 500, onDamaged }: ReportsOptions): Reports {
  const namesOf = async (kind: ReportKind): Promise<string[]> => {
    const names = await readdir(join(directory, kind)).catch(absent);
    return names.filter((name) => name.endsWith('.json')).sort();
  };
  const readFrom = async (kind: ReportKind, name: string) => {
    const path = join(directory, kind, name);
    const report = parseReport(await readFile(path, 'utf8'));
    if (report === undefined) onDamaged?.(path);
    return report;
  };
  const files = async (kind: ReportKind) =>
    (await namesOf(kind)).reverse().map((name) => ({
      name,
      async read() {
        const report = await readFrom(kind, name).catch(absent);
        return Array.isArray(report) ? undefined : report;
      },
    }));
  return {
    async keep(report) {
      const folder = join(directory, report.kind);
      await mkdir(folder, { recursive: true });
      const name = `${report.created_at.replaceAll(':', '-')}-${report.id}.json`;
      await writeFile(join(folder, `${name}.draft`), JSON.stringify(report), { flush: true });
      await rename(join(folder, `${name}.draft`), join(folder, name));
      const names = await namesOf(report.kind);
      for (const old of names.slice(0, Math.max(0, names.length - most))) await rm(join(folder, old), { force: true });
    },
    async list({ kind, limit = Number.POSITIVE_INFINITY, narrow = showAll } = {}) {
      const found: ReportEnvelope[] = [];
      for (const each of kind === undefined ? reportKinds : [kind]) {
        let wanted = limit;
        for (const name of (await namesOf(each)).reverse()) {
          if (wanted <= 0) break;
          // One that goes while it is read is not there.
          const report = await readFrom(each, name).catch(absent);
          const seen = report === undefined || Array.isArray(report) ? undefined : narrow(report);
          if (seen === undefined) continue;
          found.push(envelopeOf(seen));
          wanted -= 1;
        }
      }
      return found.sort((a, b) => (a.created_at < b.created_at ? 1 : -1)).slice(0, limit);
    },
    files,
    async read(id) {
      for (const kind of reportKinds) {
        const name = (await namesOf(kind)).find((one) => one.endsWith(`-${id}.json`));
        if (name === undefined) continue;
        const report = await readFrom(kind, name);
        if (report !== undefined) return report;
        throw new FeatureStoreError(
          'DATA_LOSS',
          `report "${id}" is damaged: remove ${join(directory, kind, name)}, and check again`,
          {
            details: { id },
          },
        );
      }
      throw new FeatureStoreError('NOT_FOUND', `no report has the id "${id}": list them to see which are kept`, {
        details: { id },
      });
    },
  };
}

const showAll: Narrow = (report) => report;

function parseReport(text: string): ReportEnvelope | undefined {
  try {
    const report = JSON.parse(text);
    const isReport = ['id', 'created_at', 'result'].every((name) => typeof report?.[name] === 'string');
    return isReport ? report : undefined;
  } catch {
    return undefined;
  }
}

function envelopeOf({ id, kind, created_at, from, to, result, summary, left_out }: ReportEnvelope): ReportEnvelope {
  return { id, kind, created_at, from, to, result, summary, ...(left_out === undefined ? {} : { left_out }) };
}

function absent(error: NodeJS.ErrnoException): never[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
