/** A server instead of the repository's own state: where a command is told of one, by `--url` or by the environment. */
import { Option } from 'commander';
import { type FlightClient, openFlightClient } from '../client/flight-client.ts';
import { type HttpConnection, openHttp } from '../client/http/call-server.ts';
import { parseServerAddress } from '../client/server-address.ts';
import { FeatureStoreError } from '../errors.ts';
import type { Context } from './context.ts';

/** The option, whose default is FEATHERFLIGHT_URL. */
export function urlOption({ environment }: Context): Option {
  const option = new Option('--url <url>', 'ask the server at grpc://host:port, not the state on disk (FEATHERFLIGHT_URL)');
  const url = environment.FEATHERFLIGHT_URL;
  return url === undefined || url === '' ? option : option.default(url);
}

/** Runs `work` with a client of the server, and hangs up. */
export async function withServer<T>(url: string, context: Context, work: (server: FlightClient) => Promise<T>): Promise<T> {
  const server = openFlightClient({ url, token: context.environment.FEATHERFLIGHT_TOKEN || undefined });
  try {
    return await work(server);
  } finally {
    server.close();
  }
}

/** Has the server do what takes long, shows how far it is, and gives its report. */
export async function runThere<Progress>(
  url: string,
  context: Context,
  action: { readonly type: string; readonly input: unknown },
  show: (progress: Progress) => void,
): Promise<unknown> {
  const signal = context.interruption();
  const onResult = (result: unknown) => showProgress(result, show);
  const last = await withServer(url, context, (server) => server.action(action.type, action.input, { signal, onResult }));
  return (last as { readonly done: unknown }).done;
}

/** Of a result of an action: how far it is, unless it is the last. */
export function showProgress<Progress>(result: unknown, show: (progress: Progress) => void): void {
  const { progress } = result as { readonly progress?: Progress };
  if (progress !== undefined) show(progress);
}

/** Runs `work` with a connection to where the server answers HTTP, and hangs up. */
export async function withHttp<T>(url: string, context: Context, work: (http: HttpConnection) => Promise<T>): Promise<T> {
  const token = context.environment.FEATHERFLIGHT_TOKEN || undefined;
  const http = openHttp({ url: await findHttpAddress(url, context), token });
  try {
    return await work(http);
  } finally {
    http.close();
  }
}

/** Where the server at a Flight address answers HTTP; FAILED_PRECONDITION where it does not. */
async function findHttpAddress(url: string, context: Context): Promise<string> {
  if (/^https?:/.test(url)) return url;
  const info = await withServer(url, context, (server) => server.serverInfo());
  const http = info.http as { readonly host: string; readonly port: number; readonly tls: boolean } | null | undefined;
  if (http == null)
    throw new FeatureStoreError('FAILED_PRECONDITION', `the server at ${url} does not answer HTTP yet; try again`);
  const everywhere = ['0.0.0.0', '::', '[::]'].includes(http.host);
  const host = everywhere ? new URL(`http://${parseServerAddress(url).authority}`).hostname : http.host;
  return `${http.tls ? 'https' : 'http'}://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${http.port}`;
}
