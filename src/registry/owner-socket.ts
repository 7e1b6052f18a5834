/** A sign of life that holds across containers, whose process ids mean nothing to each other: a socket in the state's folder. */
import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

export interface OwnerSocket {
  /** Its name in the folder. */
  readonly name: string;
  close(): void;
}

/** Listens for as long as the process lives; undefined where the folder's file system has no sockets. */
export async function openOwnerSocket(directory: string): Promise<OwnerSocket | undefined> {
  const name = `owner-${randomBytes(8).toString('hex')}.sock`;
  const server = createServer((peer) => peer.destroy());
  server.unref();
  const listens = await withShortPath(
    directory,
    name,
    (path) =>
      new Promise<boolean>((resolve) => {
        server.once('error', () => resolve(false));
        server.listen(path, () => resolve(true));
      }),
  );
  if (!listens) return undefined;
  return {
    name,
    close() {
      server.close();
      removeOwnerSocket(directory, name);
    },
  };
}

/** Whether the process that listens there still runs, in whatever container of this machine. */
export async function answersAt(directory: string, name: string): Promise<boolean> {
  return await withShortPath(
    directory,
    name,
    (path) =>
      new Promise<boolean>((resolve) => {
        const socket = connect(path);
        const answer = (alive: boolean) => {
          socket.destroy();
          resolve(alive);
        };
        socket.once('connect', () => answer(true));
        // Refused or not there: nobody listens. Anything else (its queue is full, access is denied) is somebody's.
        socket.once('error', (error: NodeJS.ErrnoException) => answer(!['ECONNREFUSED', 'ENOENT'].includes(error.code ?? '')));
      }),
  );
}

export function removeOwnerSocket(directory: string, name: string): void {
  rmSync(join(directory, name), { force: true });
}

/** A socket's path has about 100 bytes; on Linux a folder's descriptor stands for the folder, however deep it is. */
async function withShortPath<T>(directory: string, name: string, use: (path: string) => Promise<T>): Promise<T> {
  if (process.platform !== 'linux') return await use(join(directory, name));
  const folder = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    return await use(`/proc/self/fd/${folder}/${name}`);
  } finally {
    closeSync(folder);
  }
}
