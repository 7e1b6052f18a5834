/** Files that a client names: inside what the config declares readable, or not at all. */
import { realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { FeatureStoreError } from '../errors.ts';

/** The real path of a file; PERMISSION_DENIED unless it lies, links resolved, inside one of `readable`. */
export async function resolveReadable(path: string, root: string, readable: readonly string[]): Promise<string> {
  const denied = new FeatureStoreError(
    'PERMISSION_DENIED',
    `"${path}" is not inside what this server may read for clients (readable in its config: ${readable.join(', ') || 'nothing'}); send the frame instead`,
    { details: { path } },
  );
  // The engine would read these as patterns, and so more files than the one that was checked.
  if (/[*?[\]{}]/.test(path))
    throw new FeatureStoreError('INVALID_ARGUMENT', `"${path}" must name one file, without any of * ? [ ] { }`, {
      details: { path },
    });
  const wanted = resolve(root, path);
  if (!readable.some((allowed) => isInside(wanted, allowed))) throw denied;
  const real = await realpath(wanted).catch((cause) => {
    throw new FeatureStoreError(
      'NOT_FOUND',
      `"${path}" does not exist on the server, where relative paths start at its repository`,
      { details: { path }, cause },
    );
  });
  for (const allowed of readable) {
    const realAllowed = await realpath(allowed).catch(() => undefined);
    if (realAllowed !== undefined && isInside(real, realAllowed)) return real;
  }
  throw denied;
}

function isInside(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}
