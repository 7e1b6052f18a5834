/** What a server tells readers beside an answer: kept with the answer, and told once a process in Node's own way. */

/** As it travels in JSON. */
export interface ReaderWarning {
  /** `deprecated`. */
  readonly kind: string;
  /** Of a service this; of a view, or of one feature of it, the next two. */
  readonly feature_service?: string;
  readonly feature_view?: string;
  readonly feature?: string;
  /** Of a deprecated view those that are read. */
  readonly features?: readonly string[];
  /** On-demand views that read it, where it was not asked for by its own name. */
  readonly read_by?: readonly string[];
  readonly since?: string;
  readonly reason?: string;
  readonly replacement?: string;
  readonly remove_after?: string;
  readonly message: string;
}

const told = new Set<string>();

/** Tells of each that this process was not told of. */
export function tellWarnings(warnings: readonly ReaderWarning[]): readonly ReaderWarning[] {
  for (const { kind, feature_service, feature_view, feature, message } of warnings) {
    const name = JSON.stringify([kind, feature_service, feature_view, feature]);
    if (told.has(name)) continue;
    told.add(name);
    process.emitWarning(message, { type: 'DeprecationWarning', code: 'FEATHERFLIGHT_DEPRECATED' });
  }
  return warnings;
}
