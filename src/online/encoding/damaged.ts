/** What is said of a value that cannot be one. */
import { FeatureStoreError } from '../../errors.ts';

export function damaged(): FeatureStoreError {
  return new FeatureStoreError('DATA_LOSS', 'a value of the online store is damaged, or was written by something else');
}
