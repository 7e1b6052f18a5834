/** An answer as a table for people: its first rows, and how many more there are. */

import { valueFormat } from '../arrow/format-value.ts';
import { readValue } from '../arrow/read-value.ts';
import type { Schema } from '../arrow/schema.ts';
import type { AnswerWriter } from './answer-file.ts';
import { printTable } from './print-table.ts';

const shownRows = 50;

/** Null is written NULL, so that it is told from an empty text. */
export function createTableWriter(schema: Schema, write: (text: string) => Promise<void>): AnswerWriter {
  const names = schema.fields.map((field) => field.name);
  const formats = schema.fields.map(({ dictionary, ...field }) => valueFormat(field));
  const shown: Record<string, string>[] = [];
  let rows = 0;
  return {
    async write(batch) {
      const columns = names.map((_, index) => batch.plain(index));
      for (let row = 0; row < batch.length && shown.length < shownRows; row++) {
        const cells = columns.map((column, index) => {
          const value = readValue(column, row);
          return [names[index], value === null ? 'NULL' : formats[index]?.(value)];
        });
        shown.push(Object.fromEntries(cells));
      }
      rows += batch.length;
    },
    async finish() {
      const more = rows > shown.length ? `… ${(rows - shown.length).toLocaleString('en')} more rows\n` : '';
      await write(`${printTable(names, shown, names)}${more}\n`);
    },
    abandon: async () => {},
  };
}
