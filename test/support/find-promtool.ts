/** Prometheus' own tool for tests: on the PATH, else Debian's as root, else undefined. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runProgram } from './run-program.ts';

export async function findPromtool(): Promise<string | undefined> {
  return onPath() ?? (await installOnDebian());
}

function onPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'promtool')).find((path) => existsSync(path));
}

async function installOnDebian(): Promise<string | undefined> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return undefined;
  await runProgram('apt-get', ['update']);
  await runProgram('apt-get', ['install', '--yes', '--no-install-recommends', 'prometheus']);
  return onPath();
}
