/** What a refusal advises is worded for clients in Python; on the command line the same is an option. */

const spelled = new Map<unknown, string>([
  ['keys', '--keys view.key=column'],
  ['timestamp', '--timestamp COLUMN, or --at INSTANT'],
  ['timezone', '--timezone ZONE'],
  ['full_feature_names', '--full-feature-names'],
]);

/** A line with the option that the error's details name; empty where they name none. */
export function spellOption({ option }: Readonly<Record<string, unknown>>): string {
  const text = spelled.get(option);
  return text === undefined ? '' : `\n  on the command line: ${text}`;
}
