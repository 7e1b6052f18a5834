/** Loads a repository: `featherflight.config.ts` and every definition that a file under `features/` exports. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { createJiti, type Jiti } from 'jiti';
import { type Config, defineConfig, duckdb, lmdb, parseConfig, redis } from '../config.ts';
import * as definitions from '../definitions/index.ts';
import { FeatureStoreError } from '../errors.ts';
import { type Problem, problemsError } from './problems.ts';
import { type Definition, kindNames, type Loaded, type Repository } from './repository.ts';

/** What `import … from 'featherflight'` gives a repository's files: the running program's own language. */
export const language: Readonly<Record<string, unknown>> = {
  ...definitions,
  defineConfig,
  duckdb,
  lmdb,
  redis,
  FeatureStoreError,
};

type Environment = Readonly<Record<string, string | undefined>>;

/** Told each file, relative to the repository, before it is run. */
type OnFile = (file: string) => void;

/**
 * Loads config and definitions of the repository at `root` as its files are now, however often. INVALID_ARGUMENT lists all files that
 * cannot be loaded and all names defined twice; NOT_FOUND when there is no repository.
 */
export async function loadRepository(
  root: string,
  environment: Environment = {},
  onFile: OnFile = () => {},
): Promise<Repository> {
  const directory = resolve(root);
  const jiti = openLoader(directory);
  const config = await readConfig(jiti, directory, environment, onFile);
  const found: Loaded[] = [];
  const problems: Problem[] = [];
  for (const path of listDefinitionFiles(directory)) {
    const file = relative(directory, path).split(sep).join('/');
    onFile(file);
    try {
      const seen = new Set<unknown>(found.map((loaded) => loaded.definition));
      for (const definition of exportedDefinitions(await jiti.import(path))) {
        if (!seen.has(definition)) found.push({ definition, file });
        seen.add(definition);
      }
    } catch (error) {
      problems.push({ file, message: describeFailure(error) });
    }
  }
  problems.push(...findDuplicates(found));
  if (problems.length > 0) throw problemsError(problems);
  return Object.freeze({ root: directory, config, definitions: Object.freeze(found) });
}

/** Loads the config alone, for commands that need no definitions. */
export async function loadConfig(root: string, environment: Environment = {}, onFile: OnFile = () => {}): Promise<Config> {
  const directory = resolve(root);
  return await readConfig(openLoader(directory), directory, environment, onFile);
}

/** Modules stay in the process's cache across loads: what came from this repository is dropped first. */
function openLoader(directory: string): Jiti {
  const jiti = createJiti(join(directory, 'featherflight.config.ts'), {
    fsCache: false,
    virtualModules: { featherflight: language },
  });
  for (const path of Object.keys(jiti.cache)) {
    if (path.startsWith(directory + sep) && !path.includes(`${sep}node_modules${sep}`)) delete jiti.cache[path];
  }
  return jiti;
}

const extensions = ['.ts', '.mts', '.js', '.mjs'];

async function readConfig(jiti: Jiti, directory: string, environment: Environment, onFile: OnFile): Promise<Config> {
  const path = extensions.map((extension) => join(directory, `featherflight.config${extension}`)).find(existsSync);
  if (path === undefined) {
    throw new FeatureStoreError(
      'NOT_FOUND',
      `${directory} is no feature repository: it has no featherflight.config.ts; name another with -C, or make one with "featherflight init"`,
      { details: { directory } },
    );
  }
  const file = relative(directory, path);
  onFile(file);
  let exported: unknown;
  try {
    exported = await jiti.import(path, { default: true });
  } catch (error) {
    throw problemsError([{ file, message: describeFailure(error) }]);
  }
  return parseConfig(exported, directory, environment);
}

function listDefinitionFiles(directory: string): string[] {
  const folder = join(directory, 'features');
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new FeatureStoreError('NOT_FOUND', `${directory} has no folder "features" for its definitions; create it`, {
      details: { directory },
    });
  }
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => extensions.some((extension) => path.endsWith(extension)) && !/\.(d\.m?ts|(test|spec)\.[a-z]+)$/.test(path))
    .filter((path) => !path.split(sep).some((part) => part === 'node_modules' || part.startsWith('.')))
    .map((path) => join(folder, path))
    .filter((path) => statSync(path).isFile())
    .sort();
}

/** Exports that are definitions, also inside exported arrays; anything else a file exports is its own affair. */
function exportedDefinitions(module: unknown): Definition[] {
  const exported = Object.values(module as Record<string, unknown>).flatMap((value) =>
    Array.isArray(value) ? (value as unknown[]) : [value],
  );
  return exported.filter(isDefinition);
}

function isDefinition(value: unknown): value is Definition {
  if (typeof value !== 'object' || value === null) return false;
  const kind = (value as { kind?: unknown }).kind;
  return typeof kind === 'string' && Object.hasOwn(kindNames, kind) && Object.isFrozen(value);
}

/** Names defined twice among definitions of one kind; a source and a view may share one. */
function findDuplicates(found: readonly Loaded[]): Problem[] {
  const first = new Map<string, Loaded>();
  const problems: Problem[] = [];
  for (const loaded of found) {
    const { kind, name } = loaded.definition;
    const id = `${kindNames[kind]} ${name}`;
    const other = first.get(id);
    if (other === undefined) first.set(id, loaded);
    else {
      const where = other.file === loaded.file ? `twice in ${loaded.file}` : `in ${other.file} and in ${loaded.file}`;
      problems.push({ file: loaded.file, message: `${kindNames[kind]} "${name}" is defined ${where}; rename one of them` });
    }
  }
  return problems;
}

/** The first line of what a file threw, which for a syntax error says where. */
function describeFailure(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return `cannot be loaded: ${message.split('\n')[0]?.trim()}`;
}
