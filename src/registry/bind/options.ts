/** Checks that every definition shares: names (rule 4.2), known options, and what is said for people. */
import { describedOptionNames } from '../../definitions/described.ts';
import { nameProblem } from '../../definitions/name.ts';
import { didYouMean } from '../../errors.ts';
import type { Described } from '../document.ts';
import type { Report } from '../problems.ts';

/** Reports a name that could meet a generated column or another name's spelling (rule 4.2); `what` is the thing named. */
export function checkName(what: string, name: unknown, report: Report): void {
  const problem = nameProblem(name);
  if (problem !== undefined) report(`${what} "${String(name)}" cannot be named so: ${problem}`);
}

/** Reports options that do not exist, each with the nearest that does. */
export function checkOptions(what: string, options: object, known: readonly string[], report: Report): void {
  for (const option of Object.keys(options)) {
    if (!known.includes(option)) report(`${what}: "${option}" is no option${didYouMean(option, known)}`);
  }
}

/** The names of the options that any definition has, beside its own. */
export function optionNames(...own: readonly string[]): readonly string[] {
  return ['kind', 'name', ...own, ...describedOptionNames];
}

/** The part of a document that is for people; reports what is no text. */
export function bindDescribed(what: string, options: object, file: string, report: Report): Described {
  const { description, owner, tags = {} } = options as { description?: unknown; owner?: unknown; tags?: unknown };
  if (description !== undefined && typeof description !== 'string') report(`${what}: description is a string`);
  if (owner !== undefined && typeof owner !== 'string') report(`${what}: owner is a string`);
  const texts = isRecord(tags) && Object.values(tags).every((value) => typeof value === 'string');
  if (!texts) report(`${what}: tags are strings by name, such as { tier: "gold" }`);
  return {
    ...(description === undefined ? {} : { description: String(description) }),
    ...(owner === undefined ? {} : { owner: String(owner) }),
    tags: texts ? { ...(tags as Record<string, string>) } : {},
    file,
  };
}

/** Whether a value is an object with named fields. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
