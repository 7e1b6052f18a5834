/** What a client of ours raises for a request that must be refused. */
import { PythonError, type PythonProcess } from '../support/start-python.ts';

export interface Refusal {
  /** The exception's class. */
  readonly type: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>> | null;
}

/** Runs code that must raise; anything that is none of Python's exceptions is thrown on. */
export async function expectRefusal(python: PythonProcess, code: string): Promise<Refusal> {
  let value: unknown;
  try {
    value = await python.run(code);
  } catch (error) {
    if (error instanceof PythonError) return { type: error.type, message: error.message, details: error.details };
    throw error;
  }
  throw new Error(`nothing was refused: ${code} is ${JSON.stringify(value)}`);
}
