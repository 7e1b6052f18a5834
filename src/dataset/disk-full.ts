/** A disk that is full, or may not be written to: told as what it is, whether the system said so or the engine. */
import { FeatureStoreError } from '../errors.ts';

export function asDiskFull(error: unknown, directory: string): unknown {
  if (!isDiskFull(error)) return error;
  return new FeatureStoreError(
    'RESOURCE_EXHAUSTED',
    `the disk under "${directory}" is full, so the dataset was not saved, and nothing is left of it; free some space and create it again`,
    { details: { directory, retry_after_seconds: 60 }, cause: error },
  );
}

/** A storage in which nobody can say what they are at: `undone` is what is not done therefore. It may be tried again where there may be room. */
export function asUnmarked(error: unknown, undone: string): unknown {
  const isFull = isDiskFull(error);
  if (!isFull && !['EROFS', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return error;
  const why = isFull ? 'is full; free some space' : 'cannot be written to; let the server write there';
  const message = `${undone}: whoever does says so in the storage, and it ${why}`;
  return new FeatureStoreError(isFull ? 'UNAVAILABLE' : 'FAILED_PRECONDITION', message, { cause: error });
}

/** The engine has no codes, and says it in words. */
function isDiskFull(error: unknown): boolean {
  const { code, message, cause } = error as NodeJS.ErrnoException & { readonly cause?: unknown };
  if (code === 'ENOSPC' || code === 'EDQUOT') return true;
  if (typeof message === 'string' && /no space left|disk is full|disk quota|max_temp_directory_size/i.test(message)) return true;
  return cause !== undefined && cause !== null && isDiskFull(cause);
}
