/** docs/reference/command-line.md names every command and every option of a retrieval. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { runCommand } from './run-command.ts';

const page = readFileSync(new URL('../../docs/reference/command-line.md', import.meta.url), 'utf8');

it('names every command', async () => {
  const { stdout } = await runCommand(['--help']);
  const names = [...(stdout.split('Commands:')[1] as string).matchAll(/^ {2}([a-z-]+) {2}/gm)].map(([, name]) => name as string);
  expect(names.length).toBeGreaterThan(9);
  for (const name of names) expect(page).toMatch(new RegExp(`^\\| \`${name}[ \`]`, 'm'));
});

it('names every option of every command', async () => {
  for (const name of [
    'init',
    'plan',
    'preview',
    'apply',
    'serve',
    'get-historical-features',
    'list',
    'describe',
    'demo',
    'version',
  ]) {
    const { stdout } = await runCommand([name, '--help']);
    const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[a-z-]+)/gm)].map(([, option]) => option as string);
    for (const option of options) expect(page, `${name} ${option}`).toContain(option);
  }
});
