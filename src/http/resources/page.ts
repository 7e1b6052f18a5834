/** GET / and /assets/NAME: the web page, which holds no data of its own and may run nothing but what is served here. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { didYouMean, FeatureStoreError } from '../../errors.ts';
import type { Reply, Resource } from '../resource.ts';

/** Beside dist/http: in a checkout that was never built there is no page. */
const built = fileURLToPath(new URL('../../ui', import.meta.url));

const types: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'";

const guards = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const;

/** Names of files change with what is in them. */
const kept = 'public, max-age=31536000, immutable';

export function page(directory = built): readonly Resource[] {
  const files = new Map<string, Reply>();
  const manners = { method: 'GET', family: 'ours', scope: 'public', isVital: true } as const;

  function readAsset(name: string): Reply {
    const known = files.get(name);
    if (known !== undefined) return known;
    const names = listAssets(directory);
    const type = types[extname(name)];
    if (type === undefined || !names.includes(name)) {
      throw new FeatureStoreError('NOT_FOUND', `the page has no file "${name}"${didYouMean(name, names)}: load the page again`);
    }
    const body = readFileSync(join(directory, 'assets', name));
    const reply = { status: 200, type, headers: { ...guards, 'cache-control': kept }, body };
    files.set(name, reply);
    return reply;
  }

  return [
    {
      ...manners,
      path: '/',
      summary: 'The web page',
      answer() {
        const index = readIndex(directory);
        if (index === undefined) throw new FeatureStoreError('NOT_FOUND', 'the web page was not built: run npm run build');
        return {
          status: 200,
          type: 'text/html; charset=utf-8',
          headers: { ...guards, 'cache-control': 'no-cache' },
          body: index,
        };
      },
    },
    {
      ...manners,
      path: '/assets/:name',
      summary: 'A file of the web page',
      answer: ({ params }) => readAsset(params.name as string),
    },
  ];
}

function readIndex(directory: string): string | undefined {
  try {
    return readFileSync(join(directory, 'index.html'), 'utf8');
  } catch {
    return undefined;
  }
}

function listAssets(directory: string): readonly string[] {
  try {
    return readdirSync(join(directory, 'assets'));
  } catch {
    return [];
  }
}
