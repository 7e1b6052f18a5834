/** Values that definitions name and the server's environment holds. */
import { FeatureStoreError } from '../../errors.ts';
import type { EnvironmentDocument } from '../../registry/document.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The value itself, or that of the variable; FAILED_PRECONDITION where it is not set. `what` says what needs it. */
export function readSecret(what: string, value: string | EnvironmentDocument, environment: Environment): string {
  if (typeof value === 'string') return value;
  const found = environment[value.env];
  if (found !== undefined && found !== '') return found;
  throw new FeatureStoreError('FAILED_PRECONDITION', `${what} needs the environment variable ${value.env}, which is not set`, {
    details: { variable: value.env },
  });
}
