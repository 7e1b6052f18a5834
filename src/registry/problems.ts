/** Everything wrong with a repository, collected so that one run names it all. */
import { FeatureStoreError } from '../errors.ts';

export interface Problem {
  /** Relative to the repository. */
  readonly file: string;
  readonly message: string;
}

/** Takes one problem of the definition at hand. */
export type Report = (message: string) => void;

/** The error that lists all problems by file; `details.problems` holds them as `{file, message}`. */
export function problemsError(problems: readonly Problem[]): FeatureStoreError {
  const distinct = [...new Map(problems.map((problem) => [`${problem.file}\n${problem.message}`, problem])).values()];
  const count =
    distinct.length === 1 ? 'the definitions are refused' : `the definitions are refused for ${distinct.length} reasons`;
  const lines = distinct.map(({ file, message }) => `  ${file}: ${message}`);
  return new FeatureStoreError('INVALID_ARGUMENT', `${count}:\n${lines.join('\n')}`, { details: { problems: distinct } });
}

/** Runs `read`; a FeatureStoreError that it throws is reported with `prefix` before its message, and the answer is undefined. */
export function reporting<T>(report: Report, prefix: string, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FeatureStoreError)) throw error;
    report(`${prefix}${error.message}`);
    return undefined;
  }
}
