/** Values of one request, with the side values of states that have spilled: asked for at once where any of a view has, else once more. */
import { asBuffer } from '../encoding/bytes.ts';
import { lostSide, readSides, type SidedValue } from '../spill/read-sides.ts';
import { encodeSideKey } from '../spill/side-key.ts';
import type { OnlineStore } from '../store.ts';

export interface SidedValues {
  /** In the order of the keys. */
  readonly values: (Buffer | undefined)[];
  /** The side value of a view beside the value at a place, if it was read. */
  sideOf(place: number, view: string): Buffer | undefined;
  /** Notes that the side value of a view is wanted at a place, and was not read, or does not fit. */
  want(place: number, view: string): void;
  /** Reads what is wanted; false where nothing is. DATA_LOSS where it is not there. */
  readWanted(signal?: AbortSignal): Promise<boolean>;
}

/** Reads the keys and, of views that are hinted at, what stands beside them: in one round trip. */
export async function readSided(
  store: OnlineStore,
  project: string,
  keys: readonly Buffer[],
  hinted: readonly { readonly place: number; readonly view: string }[],
  signal?: AbortSignal,
): Promise<SidedValues> {
  const sideKeys = hinted.map(({ place, view }) => encodeSideKey(project, view, keys[place] as Buffer));
  const all = [...keys, ...sideKeys];
  const found = all.length === 0 ? [] : await store.read(all, signal);
  const values = found.slice(0, keys.length).map((value) => value && asBuffer(value));
  const sided = new Map<number, SidedValue & { readonly views: Set<string> }>();
  const wanted = new Set<number>();

  function sidedAt(place: number): SidedValue & { readonly views: Set<string> } {
    const known = sided.get(place);
    if (known !== undefined) return known;
    const views = new Set<string>();
    const one = {
      ...{ key: keys[place] as Buffer, value: values[place], views, isWanted: (view: string) => views.has(view) },
      ...{ sides: new Map<string, Buffer>(), lost: new Set<string>() },
    };
    sided.set(place, one);
    return one;
  }

  for (const [at, { place, view }] of hinted.entries()) {
    const side = found[keys.length + at];
    if (side !== undefined) sidedAt(place).sides.set(view, asBuffer(side));
  }

  return {
    values,
    sideOf: (place, view) => sided.get(place)?.sides.get(view),
    want(place, view) {
      sidedAt(place).views.add(view);
      wanted.add(place);
    },
    async readWanted(abort) {
      if (wanted.size === 0) return false;
      const open = [...wanted].map(sidedAt);
      await readSides({ store, project }, open, abort);
      for (const { lost } of open) for (const view of lost) throw lostSide(view);
      for (const place of wanted) values[place] = sidedAt(place).value;
      wanted.clear();
      return true;
    },
  };
}
