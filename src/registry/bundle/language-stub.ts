/** What `featherflight` is inside of a bundle: functions that do nothing, and the one that hands the transform out. */

/** The module's text: `names` are all that the language exports, `wanted` is the on-demand view whose transform is bundled. */
export function languageStub(names: readonly string[], wanted: string): string {
  const others = names.filter((name) => name !== 'onDemandFeatureView' && name !== 'FeatureStoreError');
  return [
    'export const transforms = {};',
    'const inert = new Proxy(function () {}, { get: () => inert, apply: () => inert, construct: () => inert });',
    'export function onDemandFeatureView(name, options) {',
    `  if (name === ${JSON.stringify(wanted)}) transforms[name] = options.transform;`,
    '  return inert;',
    '}',
    'export class FeatureStoreError extends Error {',
    '  constructor(code, message) { super(message); this.name = "FeatureStoreError"; this.code = code; }',
    '}',
    ...[...others].sort().map((name) => `export const ${name} = inert;`),
  ].join('\n');
}
