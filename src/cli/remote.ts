/** A server instead of the repository's own state: where a command is told of one, by `--url` or by the environment. */
import { Option } from 'commander';
import { connectServer, type RemoteServer } from '../serve/remote.ts';
import type { Context } from './context.ts';

/** The option, whose default is FEATHERFLIGHT_URL. */
export function urlOption({ environment }: Context): Option {
  const option = new Option('--url <url>', 'ask the server at grpc://host:port, not the state on disk (FEATHERFLIGHT_URL)');
  const url = environment.FEATHERFLIGHT_URL;
  return url === undefined || url === '' ? option : option.default(url);
}

/** Runs `work` with the server, and hangs up. */
export async function withServer<T>(url: string, context: Context, work: (server: RemoteServer) => Promise<T>): Promise<T> {
  const server = connectServer(url, context.environment.FEATHERFLIGHT_TOKEN);
  try {
    return await work(server);
  } finally {
    server.close();
  }
}
