/** Calls the server that the page came from: with the token of this tab, and refusals as errors that say what to do. */

/** What the server refused, or why it could not be asked. */
export class CallError extends Error {
  readonly code: string;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.details = details;
  }
}

/** The JSON that the server has at an address. */
export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await send(path, { signal })).json()) as T;
}

/** The JSON that the server answers a body with. */
export async function postJson<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const headers = { 'content-type': 'application/json' };
  return (await (await send(path, { signal, method: 'POST', headers, body: JSON.stringify(body) })).json()) as T;
}

export async function getText(path: string, signal?: AbortSignal): Promise<string> {
  return await (await send(path, { signal })).text();
}

/** An address with what stands behind its `?`; what is undefined or empty is left out. */
export function withQuery(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}`;
}

/** Paths are relative to the page, which may lie behind a prefix of a proxy. */
async function send(path: string, init: RequestInit): Promise<Response> {
  const token = readToken();
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  let response: Response;
  try {
    response = await fetch(path, { ...init, headers, cache: 'no-store' });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new CallError('UNREACHABLE', 'the server cannot be reached: see whether it runs, then try again');
  }
  if (!response.ok) throw await readError(response);
  return response;
}

async function readError(response: Response): Promise<CallError> {
  const told = (await response.json().catch(() => undefined)) as { error?: CallError } | undefined;
  if (told?.error === undefined) return new CallError('UNREACHABLE', `the server answered with status ${response.status}`);
  return new CallError(told.error.code, told.error.message, told.error.details);
}

const key = 'featherflight.token';
const listeners = new Set<() => void>();

/** The token of this tab; gone when the tab is closed. */
export function readToken(): string | undefined {
  return sessionStorage.getItem(key) ?? undefined;
}

export function keepToken(token: string | undefined): void {
  if (token === undefined) sessionStorage.removeItem(key);
  else sessionStorage.setItem(key, token);
  for (const listener of listeners) listener();
}

/** Calls `changed` whenever there is another token. */
export function watchToken(changed: () => void): () => void {
  listeners.add(changed);
  return () => listeners.delete(changed);
}
