/** What the server says, for a screen: read when it opens, again when asked to and when there is another token. */
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { CallError, readToken, watchToken } from './call.ts';

export interface Answered<T> {
  /** undefined until it is there. */
  readonly data: T | undefined;
  readonly error: CallError | undefined;
  reload(): void;
}

/** `name` says what is read: another name is read anew. */
export function useAnswer<T>(name: string, read: (signal: AbortSignal) => Promise<T>): Answered<T> {
  const token = useSyncExternalStore(watchToken, readToken);
  const [round, setRound] = useState(0);
  const [state, setState] = useState<{ name?: string; data?: T; error?: CallError }>({});
  // biome-ignore lint/correctness/useExhaustiveDependencies: `name` stands for `read`, which is a new function at each rendering
  useEffect(() => {
    const controller = new AbortController();
    read(controller.signal).then(
      (data) => controller.signal.aborted || setState({ name, data }),
      (error: unknown) => controller.signal.aborted || setState({ name, error: asCallError(error) }),
    );
    return () => controller.abort();
  }, [name, token, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  return state.name === name ? { data: state.data, error: state.error, reload } : { data: undefined, error: undefined, reload };
}

export function asCallError(error: unknown): CallError {
  return error instanceof CallError ? error : new CallError('INTERNAL', `the page failed at this: ${error}`);
}
