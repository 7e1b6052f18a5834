/** What has been written of a view, as a digest for each range of its keys' hash, kept in the store beside the rows. */
import { asBuffer } from '../online/encoding/bytes.ts';
import { encodeRecordKey } from '../online/encoding/keys.ts';
import type { OnlineStore } from '../online/store.ts';

/** Ranges that stand in one record: few enough that a record is small, and many enough that few records change at once. */
const blockRanges = 64;

const kind = 'digests';

interface Block {
  /** The store's epoch and the definitions under which rows were written; digests under others mean nothing. */
  readonly header: string;
  /** One a range, empty where nothing is known. */
  readonly digests: string[];
}

export interface Digests {
  /** Whether a range with this digest has been written. */
  has(range: number, digest: string): boolean;
  /** Remembers that ranges have been written. */
  record(written: ReadonlyMap<number, string>, signal?: AbortSignal): Promise<void>;
}

/** Reads the digests of a view, those under another header as if there were none. */
export async function openDigests(
  store: OnlineStore,
  project: string,
  view: string,
  header: string,
  ranges: number,
  signal?: AbortSignal,
): Promise<Digests> {
  const count = Math.ceil(ranges / blockRanges);
  const keys = Array.from({ length: count }, (_, block) => encodeRecordKey(project, kind, `${view}/${block}`));
  const stored = await store.read(keys, signal);
  const known = stored.map((bytes) => readBlock(bytes, header));
  return {
    has: (range, digest) => known[Math.floor(range / blockRanges)]?.digests[range % blockRanges] === digest,
    async record(written, signal) {
      const open = new Set([...written.keys()].map((range) => Math.floor(range / blockRanges)));
      while (open.size > 0) {
        const replacements = [...open].map((block) => {
          const { digests } = known[block] as Block;
          for (const [range, digest] of written) {
            if (Math.floor(range / blockRanges) === block) digests[range % blockRanges] = digest;
          }
          const value = Buffer.from(JSON.stringify({ header, digests }));
          return { block, key: keys[block] as Uint8Array, expected: stored[block], value };
        });
        const lost = new Set(await store.replace(replacements, signal));
        const again: number[] = [];
        for (const [at, { block, value }] of replacements.entries()) {
          if (lost.has(at)) again.push(block);
          else {
            stored[block] = value;
            open.delete(block);
          }
        }
        // Another run, or a store that was emptied: what is there now counts, and ours is added.
        const now =
          again.length === 0
            ? []
            : await store.read(
                again.map((block) => keys[block] as Uint8Array),
                signal,
              );
        for (const [at, block] of again.entries()) {
          stored[block] = now[at];
          known[block] = readBlock(now[at], header);
        }
      }
    },
  };
}

function readBlock(bytes: Uint8Array | undefined, header: string): Block {
  const block = bytes === undefined ? undefined : (JSON.parse(asBuffer(bytes).toString()) as Block);
  return block?.header === header ? block : { header, digests: new Array<string>(blockRanges).fill('') };
}
