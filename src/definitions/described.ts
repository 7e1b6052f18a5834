/** What every definition may say for people, and how a definition becomes a frozen value. */

export interface DescribedOptions {
  readonly description?: string;
  /** Who answers questions about it: a person or a team. */
  readonly owner?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** Names of the options that describe. */
export const describedOptionNames = ['description', 'owner', 'tags'] as const;

/** A frozen copy of plain objects and arrays, deeply; what is frozen already or no plain value (bytes) stays itself. */
export function freezeCopy<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  if (Array.isArray(value)) return Object.freeze(value.map(freezeCopy)) as T;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, freezeCopy(item)]))) as T;
}
