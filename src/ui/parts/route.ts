/** Addresses of screens, behind the `#` of the page: what is looked at never reaches a server's log. */
import { useSyncExternalStore } from 'react';

export interface Route {
  /** The parts of the path, decoded. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(listen, () => location.hash);
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return { parts: path.split('/').filter(Boolean).map(decode), query: new URLSearchParams(query) };
}

/** The address of a screen: `href('views', name)`. */
export function href(...parts: readonly string[]): string {
  // `@` may stand there as it is, and `ranker@2` is easier to read.
  return `#/${parts.map((part) => encodeURIComponent(part).replaceAll('%40', '@')).join('/')}`;
}

/** Changes what follows `?` of the address, without a step in the history. */
export function replaceQuery(changes: Readonly<Record<string, string>>): void {
  const [path = '', old = ''] = location.hash.split('?', 2);
  const query = new URLSearchParams(old);
  for (const [name, value] of Object.entries(changes)) {
    if (value === '') query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  history.replaceState(null, '', `${path || '#/'}${text === '' ? '' : `?${text}`}`);
  dispatchEvent(new HashChangeEvent('hashchange'));
}

function listen(changed: () => void): () => void {
  addEventListener('hashchange', changed);
  return () => removeEventListener('hashchange', changed);
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
