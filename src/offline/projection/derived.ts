/** What is worked out of a bucket's rows and kept beside them: it counts as memory of the bucket, and goes before the bucket does. */

export interface Derived {
  /** Memory of all that is kept. */
  readonly bytes: number;
  /** What was made under a name; made anew where it is not kept. `bytesOf` is asked once, of what was made. */
  keep<T>(name: string, make: () => T, bytesOf: (made: T) => number): T;
  forget(): void;
  /** Who decides whether there is room for so many bytes more; until somebody does, there is. */
  limitBy(admits: (bytes: number) => boolean): void;
}

export function createDerived(): Derived {
  const kept = new Map<string, unknown>();
  let bytes = 0;
  let admits = (_: number) => true;
  return {
    get bytes() {
      return bytes;
    },
    keep<T>(name: string, make: () => T, bytesOf: (made: T) => number): T {
      if (kept.has(name)) return kept.get(name) as T;
      const made = make();
      const size = bytesOf(made);
      if (admits(size)) {
        kept.set(name, made);
        bytes += size;
      }
      return made;
    },
    forget() {
      kept.clear();
      bytes = 0;
    },
    limitBy(decide) {
      admits = decide;
    },
  };
}
