/** What a server advises, in the words of the command line. */
import { expect, it } from 'vitest';
import { spellOption } from '../../src/cli/spell-option.ts';
import { runCommand } from './run-command.ts';

it.each(['keys', 'timestamp', 'timezone', 'full_feature_names'])(
  '%s is spelled as options that the commands have',
  async (option) => {
    const names = spellOption({ option }).match(/--[a-z-]+/g) ?? [];
    expect(names).not.toEqual([]);
    for (const command of ['get-historical-features', 'preview']) {
      const { stdout } = await runCommand([command, '--help']);
      for (const name of names) expect(stdout, command).toMatch(new RegExp(`^  ${name} `, 'm'));
    }
  },
);

it('nothing is added where no option helps', () => {
  expect(spellOption({ column: 'x' })).toBe('');
  expect(spellOption({ option: 'toString' })).toBe('');
});
