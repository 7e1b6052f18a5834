/** Takes from a file's definitions what no transform reads, so that a bundle changes only with its transform. */
import { type CallExpression, type Expression, type Node, type ObjectExpression, type Program, parse } from 'acorn';

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * The text of a JavaScript module, in which calls of the language at the top level have lost their arguments: all but the name and the
 * transform of the on-demand view `wanted`. Calls in functions, where a name may be another's, stay whole.
 */
export function stripDefinitions(text: string, wanted: string): string {
  const program = parse(text, { ecmaVersion: 'latest', sourceType: 'module' });
  const names = importedNames(program);
  const edits: Edit[] = [];
  const visit = (node: Node): void => {
    if (/Function|^Class|^BlockStatement$/.test(node.type)) return;
    const call = node as CallExpression;
    const name = node.type === 'CallExpression' && call.callee.type === 'Identifier' ? names.get(call.callee.name) : undefined;
    if (name === undefined) {
      for (const child of childrenOf(node)) visit(child);
      return;
    }
    const edit = stripCall(text, call, name, wanted);
    if (edit !== undefined) edits.push(edit);
  };
  visit(program);
  return edits.reduceRight((kept, { start, end, text: put }) => kept.slice(0, start) + put + kept.slice(end), text);
}

/** Local name -> name in the language. */
function importedNames(program: Program): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const statement of program.body) {
    if (statement.type !== 'ImportDeclaration' || statement.source.value !== 'featherflight') continue;
    for (const specifier of statement.specifiers) {
      if (specifier.type !== 'ImportSpecifier' || specifier.imported.type !== 'Identifier') continue;
      names.set(specifier.local.name, specifier.imported.name);
    }
  }
  return names;
}

/** undefined: the call stays as it is, since its transform does not stand in it by name. */
function stripCall(text: string, call: CallExpression, name: string, wanted: string): Edit | undefined {
  const callee = text.slice(call.callee.start, call.callee.end);
  const bare = { start: call.start, end: call.end, text: `/* @__PURE__ */ ${callee}()` };
  if (name !== 'onDemandFeatureView') return bare;
  const [view, options] = call.arguments as readonly Expression[];
  if (view?.type !== 'Literal') return undefined;
  if (view.value !== wanted) return bare;
  const transform = options?.type === 'ObjectExpression' ? findTransform(options) : undefined;
  if (transform === undefined) return undefined;
  const kept = text.slice(transform.start, transform.end);
  return { start: call.start, end: call.end, text: `${callee}(${JSON.stringify(wanted)}, { ${kept} })` };
}

function findTransform(options: ObjectExpression): Node | undefined {
  if (options.properties.some((property) => property.type === 'SpreadElement' || property.computed)) return undefined;
  return options.properties.find(
    (property) => property.type === 'Property' && property.key.type === 'Identifier' && property.key.name === 'transform',
  );
}

function childrenOf(node: Node): Node[] {
  return Object.values(node).flatMap((value: unknown) => (Array.isArray(value) ? value : [value]).filter(isNode));
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';
}
