/** Reads what every file of a source tree imports, with a real parser: types, re-exports, lazy imports and workers included. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { parseSync } from 'oxc-parser';

export interface SourceFile {
  /** Path relative to the source root, with forward slashes: `arrow/ipc.ts`. */
  readonly path: string;
  readonly imports: readonly SourceImport[];
}

export interface SourceImport {
  /** As written; undefined where it is computed, which nothing can check. */
  readonly specifier: string | undefined;
  /** For relative specifiers the path relative to the source root. */
  readonly target: string | undefined;
}

/** Every `.ts` and `.tsx` file under `root`, leaving out folders whose relative path is in `skip` (a template is not a part of the program). */
export function readSourceTree(root: string, skip: readonly string[] = []): SourceFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !skip.some((folder) => path.startsWith(`${folder}/`)))
    .sort()
    .map((path) => parseSourceFile(path, readFileSync(join(root, path), 'utf8')));
}

/** The imports of one file's text; throws where the text does not parse. */
export function parseSourceFile(path: string, text: string): SourceFile {
  const { module, program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  const specifiers: (string | undefined)[] = [
    ...module.staticImports.map((statement) => statement.moduleRequest.value),
    ...module.staticExports.flatMap((statement) => statement.entries.flatMap((entry) => entry.moduleRequest?.value ?? [])),
    ...callSpecifiers(program),
  ];
  return { path, imports: [...new Set(specifiers)].map((specifier) => ({ specifier, target: resolveTarget(path, specifier) })) };
}

function resolveTarget(path: string, specifier: string | undefined): string | undefined {
  return specifier?.startsWith('.') ? posix.normalize(posix.join(dirname(path), specifier)) : undefined;
}

type Node = Readonly<Record<string, unknown>>;

/** `import(x)`, `import('x').T`, `require(x)` and `new Worker(new URL(x, import.meta.url))`, wherever they stand. */
function callSpecifiers(program: unknown): (string | undefined)[] {
  const found: (string | undefined)[] = [];
  visit(program, (node) => {
    if (node.type === 'ImportExpression') found.push(literal(node.source));
    if (node.type === 'TSImportType') found.push(literal(node.source ?? node.argument));
    if (node.type === 'CallExpression' && name(node.callee) === 'require') found.push(literal(argument(node, 0)));
    if (node.type === 'NewExpression' && name(node.callee) === 'Worker') found.push(...workerSpecifier(argument(node, 0)));
  });
  return found;
}

/**
 * A worker's URL may be kept in a variable, which its file then builds with `new URL('./x.ts', …)`: only the direct form is an
 * import. It names the compiled file, as the compiler rewrites imports but not URLs. */
function workerSpecifier(url: Node | undefined): (string | undefined)[] {
  return url?.type === 'NewExpression' && name(url.callee) === 'URL' ? [literal(argument(url, 0))?.replace(/\.js$/, '.ts')] : [];
}

function visit(value: unknown, look: (node: Node) => void): void {
  if (Array.isArray(value)) {
    for (const item of value) visit(item, look);
  } else if (typeof value === 'object' && value !== null) {
    const node = value as Node;
    if (typeof node.type === 'string') look(node);
    for (const child of Object.values(node)) visit(child, look);
  }
}

function argument(call: Node, index: number): Node | undefined {
  return (call.arguments as Node[] | undefined)?.[index];
}

function name(node: unknown): unknown {
  return (node as Node | undefined)?.name;
}

function literal(node: unknown): string | undefined {
  const of = node as Node | undefined;
  if (of?.type === 'Literal' && typeof of.value === 'string') return of.value;
  if (of?.type === 'TSLiteralType') return literal(of.literal);
  return undefined;
}
