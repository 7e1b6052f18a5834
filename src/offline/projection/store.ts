/** Projections by source state: built once, kept on disk, their buckets in memory up to a limit. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asFeatureStoreError, FeatureStoreError } from '../../errors.ts';
import type { Logger } from '../../observe.ts';
import type { SourceDocument, ViewDocument } from '../../registry/document.ts';
import type { Engine } from '../duckdb/engine.ts';
import { isLeftOver } from '../left-over.ts';
import type { TableState } from '../source-state.ts';
import { type Bucket, createBucket } from './bucket.ts';
import { createBucketCache } from './bucket-cache.ts';
import { createBucketReader } from './bucket-file.ts';
import { buildProjection, projectionSchema } from './build.ts';
import { explainFailure } from './explain-failure.ts';
import { decodeManifest, type InvalidEvents, type Manifest, projectionId } from './manifest.ts';

export interface ProjectionStoreOptions {
  /** Folder that holds the projections of one project. */
  readonly directory: string;
  /** The state of a source's files now, those of its archive included. */
  readState(source: SourceDocument): Promise<TableState>;
  /** Most bytes of buckets kept in memory; one bucket in use may exceed it. */
  readonly cacheBytes: number;
  /** Bytes that a bucket is to have about; default 128 MiB. */
  readonly bucketBytes?: number;
  readonly logger: Logger;
}

/** A view's rows at one state of its source. */
export interface Projection {
  readonly id: string;
  readonly view: ViewDocument;
  readonly state: TableState;
  readonly rows: number;
  /** Of views of events: those that count nowhere, and are no rows. */
  readonly invalid?: InvalidEvents;
  readonly buckets: number;
  /** How much of the memory that the store keeps all buckets take together; 1 is all of it. */
  readonly share: number;
  bucket(index: number): Promise<Bucket>;
  /** Must be called once when the projection is no longer read: until then its files stay. */
  release(): void;
}

export interface ProjectionStore {
  /**
   * The projection over the source's files as they are now, built if there is none. A build goes on while anybody waits for it; who
   * opens it `ahead` of a request does not count, so that it ends with the requests that came for it.
   */
  open(view: ViewDocument, source: SourceDocument, signal: AbortSignal, ahead?: 'ahead'): Promise<Projection>;
  /** Removes what is kept of views of other names, unless somebody reads it. */
  keepViews(names: readonly string[]): Promise<void>;
  /** Removes what is kept of views; what somebody reads goes when nobody reads it any more. */
  discardViews(names: readonly string[]): Promise<void>;
  /** Stops what is being built and resolves when nothing of it is left. */
  close(): Promise<void>;
}

interface Building {
  readonly done: Promise<Manifest>;
  readonly controller: AbortController;
  waiting: number;
}

/** Opens the store; drafts that a crash left behind are removed. */
export async function openProjectionStore(engine: Engine, options: ProjectionStoreOptions): Promise<ProjectionStore> {
  const { directory, readState, cacheBytes, bucketBytes = 128 * 1024 * 1024, logger } = options;
  await mkdir(directory, { recursive: true });
  await removeDrafts(directory);
  const cache = createBucketCache(cacheBytes);
  const read = createBucketReader();
  const building = new Map<string, Building>();
  /** Those that nobody waits for any more included, until they have cleared away their drafts. */
  const unfinished = new Set<Building>();
  const readers = new Map<string, number>();
  /** Of those that are read, the ones to be removed afterwards. */
  const discarded = new Set<string>();

  async function open(view: ViewDocument, source: SourceDocument, signal: AbortSignal, ahead?: 'ahead'): Promise<Projection> {
    const state = await readState(source);
    const id = `${view.name}-${projectionId(view, source, state, engine.version)}`;
    readers.set(id, (readers.get(id) ?? 0) + 1);
    const release = () => {
      const left = (readers.get(id) as number) - 1;
      if (left > 0) readers.set(id, left);
      else {
        readers.delete(id);
        if (discarded.delete(id))
          remove(id).catch((error: unknown) =>
            logger.warn({ projection: id, error: String(error) }, 'a discarded projection could not be removed'),
          );
      }
    };
    try {
      const manifest = (await readManifest(join(directory, id))) ?? (await build(id, view, source, state, signal, ahead));
      return {
        id,
        view,
        state,
        rows: manifest.rows,
        ...(manifest.invalid === undefined ? {} : { invalid: manifest.invalid }),
        buckets: manifest.buckets.length,
        release: once(release),
        ...access(id, view, source, manifest),
      };
    } catch (error) {
      release();
      throw error;
    }
  }

  function access(
    id: string,
    view: ViewDocument,
    source: SourceDocument,
    manifest: Manifest,
  ): Pick<Projection, 'bucket' | 'share'> {
    const schema = projectionSchema(view, source, manifest.byValue);
    const bytes = manifest.buckets.reduce((sum, bucket) => sum + bucket.bytes, 0);
    return {
      share: bytes / cacheBytes,
      bucket: (index) =>
        cache.get(`${id}/${index}`, async () => {
          const file = join(directory, id, `${index}.arrows`);
          const expected = manifest.buckets[index] as Manifest['buckets'][number];
          const load = read(file, schema, expected, (parts) => createBucket(view, parts));
          return await load.catch((error) => discardDamaged(id, source, error));
        }),
    };
  }

  /** Without its manifest a projection is none: the next request builds it again. */
  async function discardDamaged(id: string, source: SourceDocument, error: unknown): Promise<never> {
    const isDamaged = asFeatureStoreError(error).code === 'DATA_LOSS' || (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isDamaged) throw error;
    logger.warn({ projection: id, error: String(error) }, 'a projection was damaged on disk and is built again');
    await rm(join(directory, id, 'manifest.json'), { force: true });
    throw new FeatureStoreError(
      'ABORTED',
      `what was kept on disk of source "${source.name}" is damaged and will be made again; ask again`,
      { details: { source: source.name }, cause: error },
    );
  }

  /** Builds at most once at a time; the build goes on while anybody waits for it. */
  async function build(
    id: string,
    view: ViewDocument,
    source: SourceDocument,
    state: TableState,
    signal: AbortSignal,
    ahead?: 'ahead',
  ): Promise<Manifest> {
    signal.throwIfAborted();
    const running = building.get(id) ?? startBuild(id, view, source, state);
    if (ahead !== undefined) return await Promise.race([running.done, rejectOnAbort(signal)]);
    running.waiting += 1;
    const leave = () => {
      running.waiting -= 1;
      if (running.waiting > 0) return;
      // Whoever comes next starts anew rather than failing with this one.
      forget(id, running);
      running.controller.abort(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([running.done, rejectOnAbort(signal)]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  function forget(id: string, entry: Building): void {
    if (building.get(id) === entry) building.delete(id);
  }

  function startBuild(id: string, view: ViewDocument, source: SourceDocument, state: TableState): Building {
    const controller = new AbortController();
    const started = performance.now();
    const work = async () => {
      const path = join(directory, id);
      const verify = () => refuseChange(source, state);
      const input = { view, source, state, directory: path, bucketBytes, verify };
      const parts = await buildProjection(engine, input, controller.signal).catch(async (error) => {
        // What DuckDB says of files that were replaced under it is of no use to anybody.
        if (!controller.signal.aborted) await verify();
        throw error;
      });
      const manifest = (await readManifest(path)) as Manifest;
      if (parts !== undefined) await cache.get(`${id}/0`, async () => createBucket(view, parts));
      logger.info(
        { view: view.name, rows: manifest.rows, ms: Math.round(performance.now() - started) },
        'source read and sorted',
      );
      await removeOlder(view, id);
      return manifest;
    };
    const done = work()
      .catch(async (error) => {
        if (controller.signal.aborted) throw error;
        throw await explainFailure(engine, source, state, controller.signal, error);
      })
      .finally(() => {
        forget(id, entry);
        unfinished.delete(entry);
      });
    done.catch(() => {});
    const entry: Building = { done, controller, waiting: 0 };
    building.set(id, entry);
    unfinished.add(entry);
    return entry;
  }

  async function refuseChange(source: SourceDocument, state: TableState): Promise<void> {
    const now = await readState(source);
    // What is pushed meanwhile changes no file that was read; what is erased meanwhile must not be kept.
    if (now.ownHash === state.ownHash && now.erased === state.erased) return;
    throw new FeatureStoreError('ABORTED', `source "${source.name}" changed while it was read; ask again`, {
      details: { source: source.name },
    });
  }

  /** Removes earlier states of the same view's source. */
  function removeOlder(view: ViewDocument, id: string): Promise<void> {
    return removeUnread((owner, name) => owner === view.name && name !== id);
  }

  function keepViews(names: readonly string[]): Promise<void> {
    return removeUnread((owner) => !names.includes(owner));
  }

  async function discardViews(names: readonly string[]): Promise<void> {
    for (const id of readers.keys()) if (names.includes(ownerOf(id) as string)) discarded.add(id);
    await removeUnread((owner) => names.includes(owner));
  }

  /** Removes projections, told by their view and their whole name, that nobody reads. */
  async function removeUnread(isOver: (owner: string, name: string) => boolean): Promise<void> {
    for (const name of await readdir(directory)) {
      const owner = ownerOf(name);
      if (owner !== undefined && !readers.has(name) && isOver(owner, name)) await remove(name);
    }
  }

  async function remove(id: string): Promise<void> {
    cache.drop(`${id}/`);
    await rm(join(directory, id), { recursive: true, force: true });
  }

  async function close(): Promise<void> {
    const closing = new FeatureStoreError('UNAVAILABLE', 'the offline engine is closing');
    for (const entry of unfinished) entry.controller.abort(closing);
    await Promise.allSettled([...unfinished].map((entry) => entry.done));
  }

  return { open, keepViews, discardViews, close };
}

/** The view of a projection by its name; undefined for what is none. */
function ownerOf(name: string): string | undefined {
  return /^(?<owner>[^.]*)-[^-.]*$/.exec(name)?.groups?.owner;
}

/** Drafts are named by the process that writes them: those of processes that died are of no use. */
async function removeDrafts(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const pid = /\.(\d+)\.\d+\.draft$/.exec(name)?.[1];
    if (pid === undefined || !(await isLeftOver(join(directory, name), Number(pid)))) continue;
    await rm(join(directory, name), { recursive: true, force: true });
  }
}

async function readManifest(path: string): Promise<Manifest | undefined> {
  const text = await readFile(join(path, 'manifest.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : decodeManifest(text);
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function once(action: () => void): () => void {
  let called = false;
  return () => {
    if (called) return;
    called = true;
    action();
  };
}
