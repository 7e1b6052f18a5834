/** JSON on the wire: commands in descriptors, bodies of actions, answers. */
import { z } from 'zod';
import { didYouMean, FeatureStoreError } from '../errors.ts';
import type { FlightDescriptor } from '../flight/protocol.ts';

const commandSchema = z.object({ type: z.string() }).loose();

/** The JSON command of a descriptor, whose type must be one of `types`. */
export function readCommand(descriptor: FlightDescriptor | undefined, types: readonly string[]): unknown {
  if (descriptor?.type !== 'cmd') {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `the descriptor must be a command: JSON with "type": ${types.map((type) => `"${type}"`).join(' or ')}`,
    );
  }
  const command = commandSchema.safeParse(parseJson(descriptor.cmd, 'the command'));
  if (!command.success) throw new FeatureStoreError('INVALID_ARGUMENT', 'the command needs a string member "type"');
  if (!types.includes(command.data.type)) throw unknownName('command', command.data.type, types);
  return command.data;
}

/** An unknown name of a command or action. */
export function unknownName(what: string, name: string, valid: readonly string[]): FeatureStoreError {
  return new FeatureStoreError(
    'INVALID_ARGUMENT',
    `there is no ${what} "${name}" here${didYouMean(name, valid) || ` (there are ${valid.join(', ')})`}`,
  );
}

/** Reads JSON; `what` names it in an error. */
function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new FeatureStoreError('INVALID_ARGUMENT', `${what} is not JSON in UTF-8`, { cause });
  }
}

/** Reads a JSON object; `what` names it in an error. */
export function parseJsonObject(bytes: Uint8Array, what: string): Readonly<Record<string, unknown>> {
  const value = parseJson(bytes, what);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new FeatureStoreError('INVALID_ARGUMENT', `${what} is not a JSON object`);
}

/** Writes JSON. */
export function encodeJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
