/** Judges a parsed source tree: forbidden arrows, packages out of their room, imports nobody can check, cycles between files. */
import { isBuiltin } from 'node:module';
import type { SourceFile, SourceImport } from './imports.ts';
import { allowedRooms, builtInPackages, packageRooms } from './rules.ts';

/** The room of a path relative to src/: its first folder, or its own name where it stands directly in src/. */
export function roomOf(path: string): string {
  return (path.split('/')[0] as string).replace(/\.tsx?$/, '');
}

/** One sentence per forbidden import; `dependencies` are the packages that package.json installs for production. */
export function findForbiddenImports(files: readonly SourceFile[], dependencies: readonly string[]): string[] {
  const known = new Set(files.map((file) => file.path));
  return files.flatMap((file) => {
    const room = roomOf(file.path);
    if (allowedRooms[room] === undefined) return [`${file.path}: no such room "${room}" in the architecture`];
    return file.imports.flatMap((item) => {
      const reason = item.target === undefined ? judgePackage(room, item, dependencies) : judgeFile(room, item.target, known);
      return reason === undefined ? [] : [`${file.path} imports ${item.specifier ?? 'a computed path'}: ${reason}`];
    });
  });
}

function judgeFile(room: string, target: string, known: ReadonlySet<string>): string | undefined {
  if (!known.has(target)) return 'no such file of the program';
  const other = roomOf(target);
  if (other === room || allowedRooms[room]?.includes(other)) return undefined;
  return `${room} may not import ${other}`;
}

function judgePackage(room: string, { specifier }: SourceImport, dependencies: readonly string[]): string | undefined {
  if (specifier === undefined) return 'name it literally';
  const builtIn = builtInPackages[room];
  if (builtIn === undefined && isBuiltin(specifier))
    return specifier.startsWith('node:') ? undefined : 'write node: before a builtin';
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  if (builtIn !== undefined) return builtIn.includes(name) ? undefined : `${room} is not built with ${specifier}`;
  if (!dependencies.includes(name)) return `${name} is no dependency`;
  const rooms = packageRooms[name];
  return rooms === undefined || rooms.includes(room) ? undefined : `${name} belongs to ${rooms.join(', ')}`;
}

/** Every cycle that a depth-first walk closes, as `a.ts -> b.ts -> a.ts`. */
export function findCycles(files: readonly SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      cycles.push([...trail.slice(start), path].join(' -> '));
    } else if (!done.has(path)) {
      for (const { target } of byPath.get(path)?.imports ?? []) {
        if (target !== undefined && target !== path) walk(target, [...trail, path]);
      }
      done.add(path);
    }
  };
  for (const path of byPath.keys()) walk(path, []);
  return cycles;
}
