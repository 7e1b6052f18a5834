/** Entities as documents. */
import type { Entity } from '../../definitions/entity.ts';
import { isKeyType, keyTypeNames } from '../../definitions/value-type.ts';
import { didYouMean } from '../../errors.ts';
import type { EntityDocument } from '../document.ts';
import type { Report } from '../problems.ts';
import { bindDescribed, checkName, checkOptions, isRecord, optionNames } from './options.ts';

/** Checks an entity by itself (rules 2.1 and 4.2). */
export function bindEntity(entity: Entity, file: string, report: Report): EntityDocument {
  const what = `entity "${entity.name}"`;
  checkName('entity', entity.name, report);
  checkOptions(what, entity, optionNames('joinKeys'), report);
  const keys: [string, unknown][] = isRecord(entity.joinKeys) ? Object.entries(entity.joinKeys) : [];
  if (keys.length === 0) report(`${what} has no join key; write joinKeys: { ${entity.name}_id: "int64" }`);
  const joinKeys = keys.flatMap(([name, type]) => {
    if (name === '') report(`${what}: a join key needs a name`);
    if (isKeyType(type)) return [{ name, type }];
    const valid = `a join key is ${keyTypeNames.join(', ')}`;
    report(`${what}: join key "${name}" cannot have type "${String(type)}", ${valid}${didYouMean(String(type), keyTypeNames)}`);
    return [];
  });
  return { name: entity.name, joinKeys, ...bindDescribed(what, entity, file, report) };
}
