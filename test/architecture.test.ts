/** The arrows between the rooms of src/ hold, no file imports itself in a circle, and this test would notice if they did not. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseSourceFile, readSourceTree } from './architecture/imports.ts';
import { allowedRooms } from './architecture/rules.ts';
import { findCycles, findForbiddenImports, roomOf } from './architecture/violations.ts';

const root = fileURLToPath(new URL('../src', import.meta.url));
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { dependencies: object };
const dependencies = Object.keys(manifest.dependencies);
const files = readSourceTree(root, ['demo/template']);

describe('the source tree', () => {
  it('is really seen: files, rooms and imports', () => {
    const seen = files.flatMap((file) => file.imports);
    expect(files.map((file) => file.path)).toEqual(
      expect.arrayContaining(['errors.ts', 'index.ts', 'arrow/schema.ts', 'ui/main.tsx']),
    );
    expect(new Set(files.map((file) => roomOf(file.path))).size).toBeGreaterThanOrEqual(4);
    expect(seen.filter((item) => item.target !== undefined).length).toBeGreaterThan(5);
    expect(seen.filter((item) => item.target === undefined).length).toBeGreaterThan(2);
  });

  it('has no forbidden arrow', () => {
    expect(findForbiddenImports(files, dependencies)).toEqual([]);
  });

  it('has no cycle between files', () => {
    expect(findCycles(files)).toEqual([]);
  });
});

describe('the rules themselves', () => {
  it('name only rooms they know, and allow no cycle between rooms', () => {
    const rooms = Object.entries(allowedRooms).map(([room, allowed]) => ({
      path: room,
      imports: allowed.map((target) => ({ specifier: target, target })),
    }));
    for (const { imports } of rooms) for (const { target } of imports) expect(allowedRooms).toHaveProperty(target);
    expect(findCycles(rooms)).toEqual([]);
  });
});

describe('the power of this test', () => {
  const judge = (path: string, text: string, others: Record<string, string> = {}): string[] => {
    const all = Object.entries({ [path]: text, ...others }).map(([name, source]) => parseSourceFile(name, source));
    return findForbiddenImports(all, ['@grpc/grpc-js', 'zod']);
  };
  const flight = { 'flight/server.ts': 'export const x = 1;' };

  it.each([
    ['a value', "import { x } from '../flight/server.ts';"],
    ['a type', "import type { x } from '../flight/server.ts';"],
    ['a side effect', "import '../flight/server.ts';"],
    ['a re-export', "export * from '../flight/server.ts';"],
    ['a named re-export', "export { x } from '../flight/server.ts';"],
    ['a lazy import', "const f = async () => await import('../flight/server.ts');"],
    ['an inline type', "type X = import('../flight/server.ts').x;"],
    ['a worker', "new Worker(new URL('../flight/server.ts', import.meta.url));"],
  ])('sees a forbidden arrow written as %s', (_, text) => {
    expect(judge('offline/plan.ts', text, flight)).toEqual([
      'offline/plan.ts imports ../flight/server.ts: offline may not import flight',
    ]);
    expect(judge('serve/main.ts', text, flight)).toEqual([]);
  });

  it.each([
    ['offline/plan.ts', "import { Server } from '@grpc/grpc-js';", '@grpc/grpc-js belongs to flight'],
    ['offline/plan.ts', "import lodash from 'lodash/fp';", 'lodash is no dependency'],
    ['offline/plan.ts', "import fs from 'fs';", 'write node: before a builtin'],
    ['offline/plan.ts', "import '../arrow/missing.ts';", 'no such file of the program'],
    ['offline/plan.ts', 'const f = (path: string) => import(path);', 'name it literally'],
    ['ui/app.tsx', "import { z } from 'zod';", 'ui is not built with zod'],
    ['ui/app.tsx', "import { readFile } from 'node:fs/promises';", 'ui is not built with node:fs/promises'],
    ['cellar/plan.ts', 'export const x = 1;', 'no such room "cellar"'],
  ])('refuses in %s: %s', (path, text, reason) => {
    expect(judge(path, text)).toEqual([expect.stringContaining(reason)]);
  });

  it('finds a cycle of three files, also through types', () => {
    const ring = [
      parseSourceFile('arrow/a.ts', "import './b.ts';"),
      parseSourceFile('arrow/b.ts', "export type { C } from './c.ts';"),
      parseSourceFile('arrow/c.ts', "import type { A } from './a.ts';"),
    ];
    expect(findCycles(ring)).toEqual(['arrow/a.ts -> arrow/b.ts -> arrow/c.ts -> arrow/a.ts']);
  });
});
