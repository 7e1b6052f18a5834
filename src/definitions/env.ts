/** Secrets in definitions: the name of an environment variable, which the server reads when it needs the value. */
import { freezeCopy } from './described.ts';

/** What a variable holds is never part of what apply stores or shows. */
export interface EnvironmentValue {
  readonly kind: 'env';
  readonly variable: string;
}

/** The value of an environment variable of the server, read when it is needed: `password: env('KAFKA_PASSWORD')`. */
export function env(variable: string): EnvironmentValue {
  return freezeCopy({ kind: 'env', variable });
}
