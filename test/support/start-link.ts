/** The way to a server as a test holds it: it may be cut, so that whoever uses it loses its connections and gets no new ones, and joined again. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Link {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  cut(): void;
  join(): void;
  stop(): Promise<void>;
}

export async function startLink(to: number): Promise<Link> {
  const open = new Set<Socket>();
  let isCut = false;
  const server = createServer((socket) => {
    const behind = connect(to, '127.0.0.1');
    for (const one of [socket, behind]) {
      open.add(one);
      one.on('close', () => {
        open.delete(one);
        socket.destroy();
        behind.destroy();
      });
      one.on('error', () => {});
    }
    socket.pipe(behind).pipe(socket);
    if (isCut) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const dropAll = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true;
      dropAll();
    },
    join() {
      isCut = false;
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      dropAll();
      await closed;
    },
  };
}
