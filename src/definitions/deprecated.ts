/** What a definition says that should no longer be read: since when, why, and what to read in its place. */

export interface DeprecatedOptions {
  /** A day, such as `2026-05-01`. */
  readonly since?: string;
  readonly reason?: string;
  /** The name of what to read instead. */
  readonly replacement?: string;
  /** A day. */
  readonly removeAfter?: string;
}
