/** That something should no longer be read, why, and what to read in its place. */
import type { Deprecation } from '../api/catalogue.ts';

export function DeprecatedBadge({ deprecated }: { readonly deprecated: Deprecation | null | undefined }) {
  return deprecated == null ? null : (
    <span className="badge warn" title={tellDeprecated(deprecated)}>
      deprecated
    </span>
  );
}

export function DeprecatedNote({ deprecated }: { readonly deprecated: Deprecation | null | undefined }) {
  return deprecated == null ? null : (
    <p className="banner" role="note">
      <strong>Deprecated</strong>
      {tellDeprecated(deprecated)}
    </p>
  );
}

function tellDeprecated({ since, reason, replacement, removeAfter }: Deprecation): string {
  const parts = [
    since === undefined ? '' : `since ${since}`,
    reason ?? '',
    replacement === undefined ? '' : `read ${replacement} instead`,
    removeAfter === undefined ? '' : `it may be removed after ${removeAfter}`,
  ];
  return ` ${parts.filter(Boolean).join('; ')}`;
}
