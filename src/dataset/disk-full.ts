/** A full disk while a dataset is saved: told as what it is, whether the system said so or the engine. */
import { FeatureStoreError } from '../errors.ts';

export function asDiskFull(error: unknown, directory: string): unknown {
  if (!isDiskFull(error)) return error;
  return new FeatureStoreError(
    'RESOURCE_EXHAUSTED',
    `the disk under "${directory}" is full, so the dataset was not saved, and nothing is left of it; free some space and create it again`,
    { details: { directory, retry_after_seconds: 60 }, cause: error },
  );
}

/** The engine has no codes, and says it in words. */
function isDiskFull(error: unknown): boolean {
  const { code, message, cause } = error as NodeJS.ErrnoException & { readonly cause?: unknown };
  if (code === 'ENOSPC' || code === 'EDQUOT') return true;
  if (typeof message === 'string' && /no space left|disk is full|disk quota|max_temp_directory_size/i.test(message)) return true;
  return cause !== undefined && cause !== null && isDiskFull(cause);
}
