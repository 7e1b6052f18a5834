/** The server as a whole: the Flight worker, HTTP beside it, what each must know of the other, and an end that drains both. */
import pino from 'pino';
import type { ApplyOptions } from './definitions.ts';
import type { HttpSide } from './http-side.ts';
import { openTracer } from './trace/open-tracer.ts';
import { startWorker } from './worker-link.ts';
import type { FromWorker } from './worker-messages.ts';

export interface ServerOptions {
  /** The repository to serve. */
  readonly root: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** pino's levels; default `info`. */
  readonly logLevel?: string;
}

export interface RunningServer {
  /** Of Flight: `grpc://host:port`, with TLS `grpc+tls://…`. */
  readonly url: string;
  /** `http://host:port`, with TLS `https://…`. */
  readonly httpUrl: string;
  readonly project: string;
  /** The applied version when it started; 0 is none. */
  readonly version: number;
  /** Reads the repository again and applies it; resolves with the new version and what changed. */
  apply(options?: ApplyOptions): Promise<unknown>;
  /** Lets running calls finish, then closes everything. */
  stop(): Promise<void>;
  /** Rejects if the server dies by itself. */
  readonly died: Promise<never>;
}

/** Starts a server; rejects with what is wrong with the repository, its state, its files of TLS or its addresses. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const logLevel = options.environment.FEATHERFLIGHT_LOG_LEVEL || options.logLevel || 'info';
  let http: HttpSide | undefined;
  const early: FromWorker[] = [];
  const onNews = (news: FromWorker) => {
    if (http === undefined) early.push(news);
    else if (news.type === 'registry') http.setRegistry(news.registry);
    else if (news.type === 'tokens') http.setTokens(news.tokens);
    else if (news.type === 'written') http.loadFacts();
    else if (news.type === 'drain_log') {
      const drained = { type: 'drained', request: news.request } as const;
      void http.drainLog().finally(() => worker.send(drained));
    } else if (news.type === 'drain_usage') {
      const drained = { type: 'drained', request: news.request } as const;
      void http.drainUsage().finally(() => worker.send(drained));
    }
  };
  const starting = startWorker({ root: options.root, environment: options.environment, logLevel }, onNews);
  // Its many modules are loaded while the worker starts.
  const httpSide = import('./http-side.ts');
  const worker = await starting;
  const { config, port, registry, tokens } = worker.started;
  const logger = pino({ level: logLevel, base: { project: config.project } }, pino.destination({ dest: 2, sync: true }));
  const tracer = await openTracer(options.environment, logger);
  try {
    const { startHttpSide } = await httpSide;
    http = await startHttpSide({ config, logger, tracer, call: worker.call, send: worker.send, registry, tokens });
  } catch (error) {
    await worker.stop();
    throw error;
  }
  for (const news of early) onNews(news);
  const { server } = http;
  worker.send({ type: 'http', host: config.http.host, port: server.port });
  logger.info({ host: config.http.host, port: server.port, registry_version: registry.version }, 'serving HTTP');
  return {
    url: `${config.tls === undefined ? 'grpc' : 'grpc+tls'}://${config.flight.host}:${port}`,
    httpUrl: server.url,
    project: config.project,
    version: registry.version,
    died: worker.died,
    apply: (options = {}) => worker.call('apply', options),
    async stop() {
      // HTTP first: what it answers may still need the worker.
      await Promise.race([(http as HttpSide).stop(), worker.died]).finally(() => Promise.all([worker.stop(), tracer?.close()]));
    },
  };
}
