/** Bundles an on-demand view's transform with everything that it imports into one script, the same wherever the repository stands. */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { dirname, sep } from 'node:path';
import type { Loader, Message, Plugin } from 'esbuild';
import { FeatureStoreError } from '../../errors.ts';
import type { OnDemandViewDocument } from '../document.ts';
import { languageStub } from './language-stub.ts';

/** Bundles the transform of the view that `file`, relative to the repository, defines under `name`. */
export type BundleTransform = (file: string, name: string) => Promise<OnDemandViewDocument['transform']>;

/** The global that a bundle defines: `{ transforms: { [name]: function } }`. */
const globalName = 'featherflight';

/** Makes the bundler of a repository; INVALID_ARGUMENT says what cannot be bundled, and `close` ends esbuild's process. */
export function openBundler(root: string): { readonly bundle: BundleTransform; close(): Promise<void> } {
  let used = false;
  return {
    async bundle(file, name) {
      used = true;
      const text = await buildScript(realpathSync(root), file, name);
      return { bundle: text, hash: createHash('sha256').update(text).digest('hex') };
    },
    async close() {
      // Compilers are only loaded where something is bundled: they would make every garbage collection of a server dearer.
      if (used) await (await import('esbuild')).stop();
    },
  };
}

async function buildScript(root: string, file: string, name: string): Promise<string> {
  const { build } = await import('esbuild');
  try {
    const { outputFiles } = await build({
      stdin: {
        contents: `import ${JSON.stringify(`./${file}`)};\nexport { transforms } from 'featherflight';`,
        resolveDir: root,
        sourcefile: 'entry.js',
      },
      absWorkingDir: root,
      bundle: true,
      write: false,
      format: 'iife',
      globalName,
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['import', 'default'],
      target: 'node20',
      charset: 'utf8',
      legalComments: 'none',
      minifyWhitespace: true,
      tsconfigRaw: '{}',
      logLevel: 'silent',
      plugins: [languagePlugin(name), purePlugin(), definitionsPlugin(root, name)],
    });
    return outputFiles[0]?.text ?? '';
  } catch (error) {
    const errors = (error as { errors?: readonly Message[] }).errors;
    if (errors === undefined) throw error;
    throw new FeatureStoreError('INVALID_ARGUMENT', errors.map(describeMessage).join('; '), { cause: error });
  }
}

/** `featherflight` itself is an inert stand-in: a transform needs nothing of it, and the file's other definitions do nothing. */
function languagePlugin(name: string): Plugin {
  return {
    name: 'featherflight-language',
    setup(build) {
      build.onResolve({ filter: /^featherflight$/ }, () => ({ path: 'featherflight', namespace: 'language' }));
      build.onLoad({ filter: /.*/, namespace: 'language' }, async () => {
        const { language } = await import('../load.ts');
        return { contents: languageStub(Object.keys(language), name), loader: 'js' };
      });
    },
  };
}

function purePlugin(): Plugin {
  return {
    name: 'featherflight-pure',
    setup(build) {
      build.onResolve({ filter: /.*/ }, ({ path }) => {
        if (!isBuiltin(path)) return undefined;
        const fix =
          'a transform is pure and runs without Node; if only other definitions need it, define the view in a file of its own';
        return { errors: [{ text: `"${path}" is imported: ${fix}` }] };
      });
    },
  };
}

const loaders: Readonly<Record<string, Loader>> = { ts: 'ts', mts: 'ts', js: 'js', mjs: 'js' };

/** A file that imports the language is reduced to what the transform can reach. */
function definitionsPlugin(root: string, name: string): Plugin {
  return {
    name: 'featherflight-definitions',
    setup(build) {
      build.onLoad({ filter: /\.m?[tj]s$/, namespace: 'file' }, async ({ path }) => {
        if (!path.startsWith(root + sep) || path.slice(root.length).includes(`${sep}node_modules${sep}`)) return undefined;
        const text = await readFile(path, 'utf8');
        if (!/['"]featherflight['"]/.test(text)) return undefined;
        const { transform } = await import('esbuild');
        const { stripDefinitions } = await import('./strip-definitions.ts');
        const loader = loaders[path.slice(path.lastIndexOf('.') + 1)] as Loader;
        const { code } = await transform(text, {
          loader,
          target: 'node20',
          charset: 'utf8',
          tsconfigRaw: '{}',
          sourcefile: path,
        });
        return { contents: stripDefinitions(code, name), loader: 'js', resolveDir: dirname(path) };
      });
    },
  };
}

/** `features/clock.ts:3: "node:fs" is imported: …`. */
function describeMessage({ text, location }: Message): string {
  return location === null ? text : `${location.file}:${location.line}: ${text}`;
}
