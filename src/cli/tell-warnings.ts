/** What readers should know beside an answer, on standard error. */
import type { Schema } from '../arrow/schema.ts';
import type { DeprecationWarning } from '../lifecycle/deprecation-warnings.ts';
import type { Context } from './context.ts';
import { foldLine } from './fold-line.ts';

/** As a line each, which a terminal shows whole; for machines as JSON, as errors are. */
export function tellWarnings({ json, say }: Context, warnings: readonly DeprecationWarning[]): void {
  for (const warning of warnings) {
    if (json) say(JSON.stringify({ warning }));
    else say(foldLine(['warning:', ...warning.message.split(' ')], undefined, '  ').join('\n'));
  }
}

/** Those that came with a training set. */
export function warningsOf({ metadata }: Schema): readonly DeprecationWarning[] {
  const written = metadata.get('featherflight.warnings');
  return written === undefined ? [] : (JSON.parse(String(written)) as readonly DeprecationWarning[]);
}
