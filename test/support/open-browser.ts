/** A real Chromium for tests of the web page, without a window. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { runProgram } from './run-program.ts';

/** The caller closes it. */
export async function openBrowser(): Promise<Browser> {
  // As root its sandbox cannot be made, and there is nothing here to keep out.
  return await chromium.launch({ executablePath: await findChromium(), args: ['--no-sandbox', '--disable-gpu'] });
}

/** `FEATHERFLIGHT_CHROMIUM`, else an installed Chromium or Chrome, else Debian's as root. */
async function findChromium(): Promise<string> {
  const found = process.env.FEATHERFLIGHT_CHROMIUM ?? findInstalled() ?? (await installOnDebian());
  if (found === undefined) throw new Error('no Chromium: install it, or name one in FEATHERFLIGHT_CHROMIUM');
  return found;
}

const programs = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

function findInstalled(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return [...programs.flatMap((program) => folders.map((folder) => join(folder, program))), ...places].find(existsSync);
}

async function installOnDebian(): Promise<string | undefined> {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return undefined;
  await runProgram('apt-get', ['update']);
  await runProgram('apt-get', ['install', '--yes', '--no-install-recommends', 'chromium']);
  return findInstalled();
}
