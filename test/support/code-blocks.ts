/** The fenced code blocks of a Markdown page, in order. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface CodeBlock {
  /** `sh`, `ts`, `python`, or empty. */
  readonly language: string;
  readonly text: string;
}

/** Blocks of a page whose path is relative to the repository. */
export function readCodeBlocks(page: string): CodeBlock[] {
  const text = readFileSync(fileURLToPath(new URL(`../../${page}`, import.meta.url)), 'utf8');
  return [...text.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', block = '']) => ({ language, text: block }));
}
