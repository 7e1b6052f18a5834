/** Instants as JSON strings, fast enough for every value of an answer. */
import { formatDay } from '../../definitions/day.ts';
import { formatInstantUs } from '../../definitions/format-instant.ts';
import { reserve, type Sink, writeAscii } from './text-sink.ts';

const usPerSecond = 1_000_000;
const secondsPerDay = 86_400;
/** `"2026-03-10T12:00:00.000001Z"` with the day of the instant that was written last: those of an answer are mostly near each other. */
const template = Buffer.from('"1970-01-01T00:00:00.000000Z"');
let templateDay = 0;
const firstDay = -719_528;
const lastDay = 2_932_896;

/** As formatInstantUs, in quotes. */
export function writeInstant(sink: Sink, us: bigint): void {
  const whole = Number(us);
  const seconds = Math.floor(whole / usPerSecond);
  const day = Math.floor(seconds / secondsPerDay);
  const isPlain = Number.isSafeInteger(whole) && day >= firstDay && day <= lastDay;
  if (isPlain) fillTemplate(sink, day, seconds - day * secondsPerDay, whole - seconds * usPerSecond);
  else writeAscii(sink, `"${formatInstantUs(us)}"`);
}

/** Of a day whose year has four digits. */
function fillTemplate(sink: Sink, day: number, secondOfDay: number, micros: number): void {
  if (day !== templateDay) {
    template.write(formatDay(day), 1, 'latin1');
    templateDay = day;
  }
  const { length } = template;
  reserve(sink, length);
  const { buffer, at } = sink;
  for (let place = 0; place < length; place++) buffer[at + place] = template[place] as number;
  const minute = (secondOfDay / 60) | 0;
  const hour = (minute / 60) | 0;
  putTwoDigits(buffer, at + 12, hour);
  putTwoDigits(buffer, at + 15, minute - hour * 60);
  putTwoDigits(buffer, at + 18, secondOfDay - minute * 60);
  const hundreds = (micros / 100) | 0;
  const tenThousands = (hundreds / 100) | 0;
  putTwoDigits(buffer, at + 21, tenThousands);
  putTwoDigits(buffer, at + 23, hundreds - tenThousands * 100);
  putTwoDigits(buffer, at + 25, micros - hundreds * 100);
  sink.at = at + length;
}

function putTwoDigits(buffer: Buffer, at: number, value: number): void {
  const tens = (value / 10) | 0;
  buffer[at] = 0x30 + tens;
  buffer[at + 1] = 0x30 + value - tens * 10;
}
