/** What a check of parity reads, whatever it compares. */
import type { History } from '../../offline/history.ts';
import type { Erasure } from '../../online/write/erasure-index.ts';
import type { RegistryDocument } from '../../registry/document.ts';
import type { ServedBatch } from './pairs.ts';

export interface ParityParts {
  readonly history: Pick<History, 'prepare' | 'contributions' | 'fittedDefault'>;
  readonly registry: RegistryDocument;
  /** An earlier version; undefined where it is not kept. */
  readDocument(version: number): RegistryDocument | undefined;
  /** All erasures there are now. */
  erasures(signal: AbortSignal): Promise<readonly Erasure[]>;
  /** Reads rows that were served before online now; without it doubts stay what they are. */
  readonly lookAgain?: LookAgain;
}

/** The rows of a batch as they are online now; undefined where they cannot be asked for any more. */
export type LookAgain = (batch: ServedBatch, rows: readonly number[], signal: AbortSignal) => Promise<ServedBatch | undefined>;
