/** The process as commands see it: lines that last for a while, on a terminal and elsewhere. */
import { afterEach, expect, it, vi } from 'vitest';
import { processContext } from '../../src/cli/context.ts';

const isTerminal = process.stderr.isTTY;
afterEach(() => {
  vi.restoreAllMocks();
  Object.defineProperty(process.stderr, 'isTTY', { configurable: true, value: isTerminal });
});

/** What a terminal shows of what was written: each line as its last characters left it, and where the cursor stands. */
function show(written: string): { lines: string[]; column: number } {
  const lines = [''];
  let column = 0;
  for (const character of written) {
    const at = lines.length - 1;
    if (character === '\n') lines.push('');
    else if (character !== '\r')
      lines[at] = (lines[at] as string).padEnd(column).slice(0, column) + character + (lines[at] as string).slice(column + 1);
    column = character === '\n' || character === '\r' ? 0 : column + 1;
  }
  return { lines: lines.map((line) => line.trimEnd()), column };
}

function watch(isTTY: boolean) {
  let written = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    written += String(text);
    return true;
  });
  Object.defineProperty(process.stderr, 'isTTY', { configurable: true, value: isTTY });
  return { context: processContext(), shown: () => show(written), written: () => written };
}

it('a line of progress is replaced by the next and leaves nothing where it ends', () => {
  const { context, shown } = watch(true);
  context.progress('1 of 1,000 keys');
  context.progress('2 of 10');
  expect(shown().lines).toEqual(['2 of 10']);
  context.progress('');
  expect(shown()).toEqual({ lines: [''], column: 0 });
  context.progress('3 of 10');
  context.say('done');
  expect(shown()).toEqual({ lines: ['3 of 10', 'done', ''], column: 0 });
});

it('where nobody looks there is none', () => {
  const { context, written } = watch(false);
  context.progress('1 of 10');
  context.progress('');
  context.say('done');
  expect(written()).toBe('done\n');
});
