/** `check_parity`: out of the feature log, live over a sample of keys, or two features of history against each other. */
import { parseInstantUs } from '../../definitions/literal.ts';
import type { History } from '../../offline/history.ts';
import type { OnlineStore } from '../../online/store.ts';
import { createErasureIndex } from '../../online/write/erasure-index.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import { findNamed } from '../../registry/references.ts';
import { type LogReader, readLog } from '../log/read-log.ts';
import type { OnProgress } from '../progress.ts';
import { comparePairs } from './compare-pairs.ts';
import { servedFromLog } from './from-log.ts';
import { type LiveParts, listLive, serveSample } from './live.ts';
import { createLookAgain } from './look-again.ts';
import type { ServedBatch } from './pairs.ts';
import type { ParityReport } from './report.ts';
import { type ParityRequest, parseParityRequest, refused } from './request.ts';
import { type ParityOptions, type ParityProgress, runParity } from './run.ts';
import { findReference } from './versions.ts';

export interface ParityCheckParts extends Pick<LiveParts, 'readKnown' | 'logger'> {
  readonly history: History;
  readonly store: OnlineStore;
  registry(): RegistryDocument;
  readDocument(version: number): RegistryDocument | undefined;
  readonly log: LogReader;
  /** Whether anything is logged from now on. */
  readonly isLogging: boolean;
  nowUs?(): bigint;
}

export interface ParityCheckOptions {
  readonly signal: AbortSignal;
  readonly onProgress?: OnProgress<ParityProgress>;
}

export type CheckParity = (request: unknown, options: ParityCheckOptions) => Promise<ParityReport>;

const dayUs = 86_400_000_000n;
const defaultRows = 100_000;
const defaultKeys = 1000;

export function createParityCheck(parts: ParityCheckParts): CheckParity {
  const { history, store, readDocument } = parts;
  return async (input, { signal, onProgress }) => {
    const request = parseParityRequest(input);
    const registry = parts.registry();
    const nowUs = parts.nowUs?.() ?? BigInt(Date.now()) * 1000n;
    const period = readPeriod(request, nowUs);
    const wanted = listWanted(registry, request);
    checkTolerances(registry, request);
    const index = createErasureIndex(store, registry.project);
    const checked = { history, registry, readDocument, erasures: index.read };
    const options = {
      ...{ tolerances: request.tolerances ?? {}, examine: request.examine ?? undefined, nowUs, signal, onProgress },
      expected: wanted,
    };
    if (request.pairs != null) {
      const sample = request.sample ?? defaultKeys;
      return await comparePairs(checked, { pairs: request.pairs, sample, ...period }, options);
    }
    if (request.live === true) {
      const live = listLive(registry, wanted);
      const batches = serveSample({ ...parts, registry }, live.asked, request.sample ?? defaultKeys, signal);
      const advice = 'no key was found in the sources of these features, or none of them can be read without a request';
      return await runParity(checked, batches, {
        ...options,
        mode: 'live',
        skipped: live.skipped,
        expected: live.features,
        advice,
      });
    }
    const logged: ParityOptions = { ...options, mode: 'log', ...period, advice: adviseLog(parts.isLogging) };
    const lookAgain = createLookAgain({ ...parts, registry });
    return await runParity({ ...checked, lookAgain }, readServed(parts.log, request, period, wanted, signal), logged);
  };
}

interface Period {
  readonly fromUs: bigint;
  readonly toUs: bigint;
}

function readPeriod({ from, to }: ParityRequest, nowUs: bigint): Period {
  const toUs = to == null ? nowUs : parseInstantUs(to);
  const fromUs = from == null ? toUs - dayUs : parseInstantUs(from);
  if (from != null && fromUs > nowUs) throw refused(`nothing was served yet from ${from} on: it lies in the future`);
  if (to != null && toUs > nowUs) throw refused(`the period ends at ${to}, which lies in the future: leave out "to" for now`);
  if (fromUs >= toUs) throw refused('the period is empty: "from" is to be before "to"');
  return { fromUs, toUs };
}

/** What is to be compared, where that is said; every name that does not exist is refused with the nearest. */
function listWanted(registry: RegistryDocument, { features, service }: ParityRequest) {
  if (service != null) {
    const parts = findNamed(registry.services, 'feature service', service).features;
    return parts.flatMap(({ view, features: names }) => names.map((feature) => ({ view, feature })));
  }
  return features?.map((text) => findReference(registry, text));
}

function checkTolerances(registry: RegistryDocument, { tolerances }: ParityRequest): void {
  for (const name of Object.keys(tolerances ?? {})) findReference(registry, name);
}

async function* readServed(
  log: LogReader,
  { sample }: ParityRequest,
  { fromUs, toUs }: Period,
  wanted: ReturnType<typeof listWanted>,
  signal: AbortSignal,
): AsyncGenerator<ServedBatch, void> {
  const features = wanted?.map(({ view, feature }) => `${view}:${feature}`);
  const isWanted = new Set(features);
  const selection = { fromUs, toUs, features, rowsPerShape: sample ?? defaultRows };
  for await (const rows of readLog(log, selection, signal)) {
    const batch = servedFromLog(rows, ({ view, feature }) => features === undefined || isWanted.has(`${view}:${feature}`));
    if (batch.outputs.length > 0) yield batch;
  }
}

function adviseLog(isLogging: boolean): string {
  return isLogging
    ? 'no answer of this period is in the feature log yet: ask for a longer one, wait until it is written (logging.flushSeconds), or compare a sample of keys now with live'
    : 'nothing is logged: add `logging: { sample: 0.05 }` to featherflight.config.ts, or compare a sample of keys now with live';
}
