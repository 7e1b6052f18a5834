/** All addresses: express finds the resource of a request, and the hottest two are found before it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import { feastOnlineFeatures } from './feast/get-online-features.ts';
import { feastMaterialize } from './feast/materialize.ts';
import { feastWrites } from './feast/writes.ts';
import { createGate } from './gate.ts';
import { openApi } from './openapi.ts';
import type { HttpParts } from './parts.ts';
import type { Resource } from './resource.ts';
import { alerts } from './resources/alerts.ts';
import { audit } from './resources/audit.ts';
import { catalogue } from './resources/catalogue.ts';
import { datasets } from './resources/datasets.ts';
import { definitions } from './resources/definitions.ts';
import { erasures } from './resources/erasures.ts';
import { explain } from './resources/explain.ts';
import { featureHealth } from './resources/feature-health.ts';
import { health } from './resources/health.ts';
import { lastChecks } from './resources/last-checks.ts';
import { lineage } from './resources/lineage.ts';
import { materialize } from './resources/materialize.ts';
import { onlineFeatures } from './resources/online-features.ts';
import { page } from './resources/page.ts';
import { push } from './resources/push.ts';
import { reports } from './resources/reports.ts';
import { runSql } from './resources/run-sql.ts';
import { streams } from './resources/streams.ts';
import { tokens } from './resources/tokens.ts';
import { validateDrift } from './resources/validate-drift.ts';
import { validateLeaks } from './resources/validate-leaks.ts';
import { validateParity } from './resources/validate-parity.ts';
import { viewHealth } from './resources/view-health.ts';
import { writeToOnlineStore } from './resources/write-to-online-store.ts';
import { createRespond } from './respond.ts';
import { traceRequests } from './trace-requests.ts';

export type RequestListener = (request: IncomingMessage, response: ServerResponse) => void;

/** What a Node server calls for each request. */
export function createApp(parts: HttpParts, isStopping: () => boolean): RequestListener {
  const answer = createRespond({ ...parts, gate: createGate(parts.limits.maxConcurrentRequests), isStopping });
  const respond = traceRequests(answer, parts.tracer);
  const hot = [onlineFeatures(parts), feastOnlineFeatures(parts)];
  const resources: readonly Resource[] = [
    ...hot,
    push(parts),
    writeToOnlineStore(parts),
    materialize(parts),
    runSql(parts),
    validateParity(parts),
    explain(parts),
    validateLeaks(parts),
    featureHealth(parts),
    viewHealth(parts),
    lastChecks(parts),
    alerts(parts),
    ...reports(parts),
    validateDrift(parts),
    ...streams(parts),
    ...catalogue(parts),
    ...datasets(parts),
    lineage(parts),
    ...definitions(parts),
    ...tokens(parts),
    ...erasures(parts),
    audit(parts),
    ...health(parts, isStopping),
    ...page(),
    ...feastWrites(parts),
    ...feastMaterialize(parts),
  ];
  const all = [...resources, openApi(resources, parts.version)];

  const app = express();
  app.disable('x-powered-by').disable('etag');
  for (const resource of all) {
    app[resource.method.toLowerCase() as 'get' | 'post' | 'delete'](resource.path, (request: Request, response: Response) =>
      respond(resource, request.params as Record<string, string>, request, response),
    );
  }
  app.use((request: Request, response: Response) => respond(nowhere(request, all), {}, request, response));
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) =>
    respond(unreadable(error), {}, request, response),
  );

  const hotByPath = new Map(hot.map((resource) => [resource.path, resource]));
  return (request, response) => {
    const resource = request.method === 'POST' ? hotByPath.get(request.url as string) : undefined;
    if (resource === undefined) app(request, response);
    else void respond(resource, {}, request, response);
  };
}

const manners = { method: 'GET', path: 'none', family: 'ours', scope: 'public', summary: '' } as const;

/** Nothing has this address, or not with this method. */
function nowhere({ method, path }: Request, resources: readonly Resource[]): Resource {
  const pattern = (resource: Resource) => new RegExp(`^${resource.path.replace(/:\w+/g, '[^/]+')}$`);
  const methods = resources.filter((resource) => pattern(resource).test(path)).map((resource) => resource.method);
  return {
    ...manners,
    answer() {
      if (methods.length > 0) {
        const allowed = [...new Set(methods)].join(', ');
        throw new FeatureStoreError('UNIMPLEMENTED', `${path} takes ${allowed}, and not ${method}`, { details: { methods } });
      }
      const known = resources.map((resource) => resource.path).filter((each) => !each.includes(':'));
      throw new FeatureStoreError('NOT_FOUND', `there is nothing at ${path}${didYouMean(path, known)}; see /openapi.json`);
    },
  };
}

/** An address that express could not read, such as one with a broken percent-encoding. */
function unreadable(error: unknown): Resource {
  return {
    ...manners,
    answer() {
      if (error instanceof URIError) throw new FeatureStoreError('INVALID_ARGUMENT', 'the address is not well encoded');
      throw error;
    },
  };
}
