/** /health: the process lives; /ready: it can answer; /metrics: how it does. */
import { asFeatureStoreError } from '../../errors.ts';
import type { HttpParts } from '../parts.ts';
import { jsonReply, type Resource } from '../resource.ts';

export function health({ metrics, registry, store, version }: HttpParts, isStopping: () => boolean): readonly Resource[] {
  const vital = { method: 'GET', family: 'ours', isVital: true } as const;

  async function ready(signal: AbortSignal): Promise<readonly string[]> {
    const reasons: string[] = [];
    if (isStopping()) reasons.push('the server is shutting down');
    if (registry().version === 0) reasons.push('nothing is applied yet: run featherflight apply');
    try {
      await store.check(signal);
    } catch (error) {
      reasons.push(asFeatureStoreError(error).message);
    }
    return reasons;
  }

  return [
    {
      ...vital,
      path: '/health',
      scope: 'public',
      summary: 'The process lives',
      answer: () => jsonReply({ status: 'ok', product: 'featherflight', version }),
    },
    {
      ...vital,
      path: '/ready',
      scope: 'public',
      summary: 'Whether it can answer: 503 says why not',
      async answer({ signal }) {
        const reasons = await ready(signal);
        if (reasons.length === 0) return jsonReply({ status: 'ready', registry_version: registry().version });
        return jsonReply({ status: 'not ready', reasons }, 503);
      },
    },
    {
      ...vital,
      path: '/metrics',
      scope: 'any',
      summary: 'Metrics in the form of Prometheus',
      answer: async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
    },
  ];
}
