/** What a server checks of itself, when it is asked and by schedule: each check's report is kept. */
import { join } from 'node:path';
import { z } from 'zod';
import type { Caller } from '../access/caller.ts';
import type { Config } from '../config.ts';
import { FeatureStoreError } from '../errors.ts';
import { readWatermarks } from '../materialize/view-state.ts';
import type { Logger } from '../observe.ts';
import type { History } from '../offline/history.ts';
import { createOnlineRecords } from '../online/records.ts';
import type { OnlineStore } from '../online/store.ts';
import type { RegistryDocument, ViewDocument } from '../registry/document.ts';
import { openProgress } from '../stream/progress.ts';
import { type CheckedFeature, createLastChecks, type JudgingKind, type LastCheck } from '../validate/last-checks.ts';
import type { LogReader } from '../validate/log/read-log.ts';
import { createParityCheck } from '../validate/parity/check.ts';
import { createExplain, type Explain } from '../validate/parity/explain.ts';
import type { KnownThen } from '../validate/parity/pairs.ts';
import { parseParityRequest } from '../validate/parity/request.ts';
import { hasFeature, viewsCompared } from '../validate/parity/versions.ts';
import type { OnProgress } from '../validate/progress.ts';
import { openReports, type ReportEnvelope, type ReportKind, type Reports } from '../validate/reports.ts';
import { alone, type CheckTurns } from './check-turns.ts';
import { createSeenReports, type SeenReports } from './seen-reports.ts';

export interface ValidationParts {
  readonly config: Config;
  readonly history: History;
  readonly store: OnlineStore;
  registry(): RegistryDocument;
  readDocument(version: number): RegistryDocument | undefined;
  readonly log: LogReader;
  /** Resolves when all that was served before is in the log. */
  flushLog(): Promise<void>;
  readonly logger: Logger;
  /** In what turn checks run; default: each at once. */
  readonly turns?: CheckTurns;
  /** Further checks by kind. */
  readonly checks?: Checks;
}

/** What a check of one kind does with the other members of its input. */
export interface Check {
  run(input: object, signal: AbortSignal, onProgress: OnProgress<unknown>): Promise<ReportEnvelope>;
  /** The views that it reads. Refuses what `run` would refuse of the request itself. */
  viewsOf(input: object): readonly string[];
  /** The request with the versions of saved datasets that it means; refuses the caller those that are not for them. */
  pin?(input: object, caller: Caller): Promise<object>;
}

export type Checks = Partial<Readonly<Record<ReportKind, Check>>>;

export interface Validations {
  /** Checks in the turn of `owner`, keeps the report and gives it. `input` has a member `kind`. */
  run(input: unknown, signal: AbortSignal, onProgress: (progress: unknown) => void, owner?: string): Promise<ReportEnvelope>;
  /** The views that a check is about. Refuses what `run` would refuse of the request itself. */
  viewsOf(input: unknown): readonly string[];
  /** The same input, with the versions of saved datasets that it means; refuses the caller those that are not for them. */
  pin(input: unknown, caller: Caller): Promise<unknown>;
  /** One entity online and offline; it is no report, and none is kept. */
  readonly explain: Explain;
  readonly reports: Reports;
  /** The same for callers who may see certain views. */
  readonly seenReports: SeenReports;
  /** What the last check of each feature found, whoever made it on this storage. */
  lastChecks(kind: JudgingKind): Promise<readonly LastCheck<CheckedFeature>[]>;
}

export function createValidations(parts: ValidationParts): Validations {
  const { config, registry, turns = alone } = parts;
  const damaged = new Set<string>();
  const reports = openReports({
    directory: join(config.storage, 'reports'),
    onDamaged(path) {
      if (damaged.has(path)) return;
      damaged.add(path);
      parts.logger.error({ path }, 'a report is damaged and left out; remove the file, and check again');
    },
  });
  const checkParity = createParityCheck({
    ...parts,
    isLogging: config.logging !== undefined,
    readKnown: (views, signal) => readKnown(parts, views, signal),
  });
  const isStillDefined = (view: string, feature: string) => hasFeature(registry(), view, feature);
  const last = {
    parity: createLastChecks({ kind: 'parity', reports, isDefined: isStillDefined }),
    drift: createLastChecks({ kind: 'drift', reports, isDefined: isStillDefined }),
  };

  const parity: Check = {
    async run(input, signal, onProgress) {
      const request = parseParityRequest(input);
      await parts.flushLog();
      const tolerances = { ...config.validate?.parity?.tolerances, ...(request.tolerances ?? undefined) };
      const known = Object.fromEntries(
        Object.entries(tolerances).filter(([name]) => isDefined(registry(), name, request.tolerances)),
      );
      return await checkParity({ ...request, tolerances: known }, { signal, onProgress });
    },
    viewsOf: (input) => viewsCompared(registry(), parseParityRequest(input)),
  };
  const checks: Checks = { parity, ...parts.checks };

  return {
    async run(input, given, onProgress, owner = '') {
      const { check, request } = readKind(checks, input);
      const report = await turns.run(owner, given, async ({ signal, giveWay }) =>
        check.run(request, signal, async (progress) => {
          onProgress(progress);
          await giveWay();
        }),
      );
      await reports.keep(report);
      return report;
    },
    async pin(input, caller) {
      const { kind, check, request } = readKind(checks, input);
      return check.pin === undefined ? input : { kind, ...(await check.pin(request, caller)) };
    },
    viewsOf(input) {
      const { check, request } = readKind(checks, input);
      return check.viewsOf(request);
    },
    explain: createExplain({ ...parts, readKnown: (views, signal) => readKnown(parts, views, signal) }),
    reports,
    seenReports: createSeenReports({ ...parts, reports }),
    lastChecks: (kind) => last[kind].read(),
  };
}

/** A tolerance that the config gives to what is not applied any more says nothing; one that is asked for is looked at by the check. */
function isDefined({ views, onDemandViews = [] }: RegistryDocument, name: string, asked: object | null | undefined): boolean {
  if (asked != null && Object.hasOwn(asked, name)) return true;
  const [view, feature] = name.split(':');
  return [...views, ...onDemandViews].some((one) => one.name === view && one.features.some((each) => each.name === feature));
}

function readKind(checks: Checks, input: unknown): { readonly kind: unknown; readonly check: Check; readonly request: object } {
  const { kind, ...request } = z.looseObject({ kind: z.string() }).safeParse(input).data ?? { kind: undefined };
  const check = Object.hasOwn(checks, String(kind)) ? checks[kind as ReportKind] : undefined;
  if (check !== undefined) return { kind, check, request };
  const kinds = Object.keys(checks);
  throw new FeatureStoreError('INVALID_ARGUMENT', `say what to validate: {"kind": …} is one of ${kinds.join(', ')}`, {
    details: { kinds },
  });
}

/** Of batch views their watermarks, of stream views how far each partition of their source is applied. */
async function readKnown(
  { store, registry }: Pick<ValidationParts, 'store' | 'registry'>,
  views: readonly ViewDocument[],
  signal: AbortSignal,
): Promise<readonly KnownThen[]> {
  const records = createOnlineRecords(store, registry().project);
  return await Promise.all(
    views.map(async ({ kind, name, source }) => {
      if (kind === 'batch') {
        const [mark] = await readWatermarks(records, [name], signal);
        return { watermarkUs: mark?.endUs ?? null, finishedUs: mark?.finishedUs };
      }
      const progress = await openProgress(records, source).readAll(signal);
      return { next: new Map([...progress].map(([partition, { next }]) => [partition, next])) };
    }),
  );
}
