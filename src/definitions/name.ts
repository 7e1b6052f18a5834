/** What names and prefixes may look like (rule 4.2), so that generated columns never meet. */

/** Why a name cannot be one, undefined for a good name. */
export function nameProblem(name: unknown): string | undefined {
  if (typeof name !== 'string') return 'a name is a string';
  if (name.length > 64) return `a name has at most 64 characters, and it has ${name.length}`;
  if (name.includes('__')) return 'two underscores in a row are kept for generated columns';
  if (!/^[a-z][a-z0-9_]*$/.test(name)) return 'a name is lower case letters, digits and "_", beginning with a letter';
  return undefined;
}
