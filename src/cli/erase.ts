/** `featherflight erase`: removes an entity from the online store for good, until it is lifted. */
import { Command } from 'commander';
import type { LiteralValue } from '../definitions/literal.ts';
import type { KeyType } from '../definitions/value-type.ts';
import { FeatureStoreError } from '../errors.ts';
import { createOnlineWriter } from '../online/write/writer.ts';
import type { EntityDocument } from '../registry/document.ts';
import { findNamed } from '../registry/references.ts';
import type { Context } from './context.ts';
import { endWithFailure } from './exit.ts';
import { withOnlineWriter } from './online.ts';

interface Options {
  readonly lift?: true;
  readonly yes?: true;
}

export function eraseCommand(context: Context): Command {
  return new Command()
    .argument('<entity>', 'the entity, such as user')
    .argument('<key=value...>', 'its join keys, such as user_id=42')
    .option('--lift', 'take an erasure back: what was erased returns with the next writes only')
    .option('--yes', 'do not ask; without a terminal nothing is asked anyway')
    .action(async (name: string, pairs: readonly string[], { lift, yes }: Options) => {
      await withOnlineWriter(context, 'erase', async ({ registry, store }) => {
        const entity = findNamed(registry.entities, 'entity', name);
        const values = readKeys(entity, pairs);
        const writer = createOnlineWriter(store, registry.project);
        if (lift === true) {
          const lifted = await writer.lift(entity.joinKeys, values);
          return await context.write(
            context.json ? `${JSON.stringify({ lifted })}\n` : lifted ? 'lifted\n' : 'nothing was erased\n',
          );
        }
        const shown = `${name} ${pairs.join(' ')}`;
        const asks = yes !== true && context.isTerminal && !context.json;
        if (asks && !(await context.confirm(`Erase ${shown} from the online store for good?`))) {
          context.say('nothing was erased');
          endWithFailure();
        }
        const report = await writer.erase(entity.joinKeys, values, BigInt(Date.now()) * 1000n);
        if (context.json) return await context.write(`${JSON.stringify(report)}\n`);
        const rows = Object.entries(report.rows).map(([view, count]) => `${view || 'unknown views'} ${count}`);
        await context.write(`erased ${shown}: ${rows.length === 0 ? 'no rows were there' : `rows of ${rows.join(', ')}`}\n`);
        context.say('the sources still have it; this store takes no more rows of it until the erasure is lifted (--lift)');
      });
    });
}

function readKeys(entity: EntityDocument, pairs: readonly string[]): LiteralValue[] {
  const given = new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)] as const;
      throw new FeatureStoreError('INVALID_ARGUMENT', `"${pair}" is not key=value, such as ${entity.joinKeys[0]?.name}=42`);
    }),
  );
  const names = entity.joinKeys.map((key) => key.name);
  if (given.size !== pairs.length || given.size !== names.length || !names.every((key) => given.has(key))) {
    throw new FeatureStoreError(
      'INVALID_ARGUMENT',
      `entity "${entity.name}" has the join keys ${names.join(', ')}: give each once`,
      {
        details: { entity: entity.name, join_keys: names },
      },
    );
  }
  return entity.joinKeys.map(({ name, type }) => readKey(name, type, given.get(name) as string));
}

function readKey(name: string, type: KeyType, text: string): LiteralValue {
  if (type === 'string') return text;
  if (type === 'bool' && (text === 'true' || text === 'false')) return text === 'true';
  if (type === 'bytes' && /^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    return new Uint8Array(Buffer.from(text, 'base64'));
  }
  if ((type === 'int64' || type === 'int32') && /^-?\d{1,19}$/.test(text)) {
    const value = BigInt(text);
    if (BigInt.asIntN(type === 'int64' ? 64 : 32, value) === value) return type === 'int64' ? value : Number(value);
  }
  const form = { bool: 'true or false', bytes: 'base64', int32: 'a whole number', int64: 'a whole number' }[type];
  throw new FeatureStoreError('INVALID_ARGUMENT', `join key "${name}" is ${type}, and "${text}" is none: write ${form}`);
}
