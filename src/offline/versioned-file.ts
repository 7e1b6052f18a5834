/** A small file that is replaced and never changed in place: read once for each that there was. */
import { readFile, stat } from 'node:fs/promises';

/** Makes the function that reads such files; `absent` is what there is where there is none. */
export function createVersionedReader<T>(absent: T, parse: (text: string) => T): (path: string) => Promise<T> {
  const known = new Map<string, { readonly version: string; readonly value: T }>();
  return async (path) => {
    const info = await stat(path, { bigint: true }).catch(orAbsent);
    if (info === undefined) return absent;
    const version = `${info.ino} ${info.size} ${info.mtimeNs} ${info.ctimeNs}`;
    const last = known.get(path);
    if (last?.version === version) return last.value;
    const text = await readFile(path, 'utf8').catch(orAbsent);
    const value = text === undefined ? absent : parse(text);
    known.delete(path);
    known.set(path, { version, value });
    const [oldest] = known.keys();
    if (known.size > 1000 && oldest !== undefined) known.delete(oldest);
    return value;
  };
}

function orAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
