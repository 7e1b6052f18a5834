/** TLS in front of a server that speaks none: it ends here, and what it carried goes on as it is. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';

export interface TlsFront {
  readonly port: number;
  /** Connections that ended their handshake. */
  readonly connections: () => number;
  stop(): Promise<void>;
}

export interface TlsFrontOptions {
  readonly port: number;
  /** Where it leads to. */
  readonly to: number;
  readonly cert: string;
  readonly key: string;
  /** An authority: clients must then show a certificate that it signed. */
  readonly clientCa?: string;
}

export async function startTlsFront({ port, to, cert, key, clientCa }: TlsFrontOptions): Promise<TlsFront> {
  const open = new Set<Socket>();
  let connections = 0;
  const asked = clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: true, ca: readFileSync(clientCa) };
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key), ...asked }, (socket) => {
    connections++;
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
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port,
    connections: () => connections,
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
