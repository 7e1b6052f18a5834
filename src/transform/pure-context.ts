/** Where transforms run: JavaScript alone, without a clock, randomness, the host's zone, or anything of Node. */
import { type Context, createContext, Script } from 'node:vm';

/**
 * A context of its own for one transform. It keeps a function honest, as a reader of its code expects it to be; it is no cell for hostile
 * code, which definitions are not.
 */
export function createPureContext(): Context {
  const context = createContext({});
  freezeOut.runInContext(context);
  return context;
}

const freezeOut = new Script(
  `(() => {
  'use strict';
  const refuse = (what, instead) => {
    throw new Error(what + ' is not there for a transform, which is pure: ' + instead);
  };
  const clock = 'use now, the time of the row';
  const zone = 'use now.in(zone), or name the zone';
  const RealDate = Date;
  const isInstant = (text) => /^[+-]?\\d{4,6}(-\\d\\d(-\\d\\d)?)?$|(Z|UTC|GMT|[+-]\\d\\d:?\\d\\d)$/i.test(text.trim());
  const check = (text) => (isInstant(text) ? text : refuse('the zone of the machine (in "' + text + '")', zone));
  function Date_(...parts) {
    if (new.target === undefined || parts.length === 0) refuse('the clock', clock);
    if (parts.length > 1) refuse('the zone of the machine', 'use Date.UTC(…), or now.in(zone)');
    if (typeof parts[0] === 'string') check(parts[0]);
    return Reflect.construct(RealDate, parts, new.target);
  }
  Object.defineProperty(Date_, 'name', { value: 'Date' });
  Date_.prototype = RealDate.prototype;
  Date_.UTC = RealDate.UTC;
  Date_.parse = (text) => RealDate.parse(check(String(text)));
  Date_.now = () => refuse('the clock', clock);
  Object.defineProperty(RealDate.prototype, 'constructor', { value: Date_, writable: true, configurable: true });
  for (const name of Object.getOwnPropertyNames(RealDate.prototype)) {
    const isLocal = /^[gs]et(?!UTC|Time$)/.test(name) || /^to((Date|Time)?String|Locale)/.test(name);
    if (isLocal) RealDate.prototype[name] = () => refuse('Date.' + name + ', which reads the zone of the machine,', zone);
  }
  globalThis.Date = Date_;
  Math.random = () => refuse('Math.random', 'a row has one answer');
  const RealFormat = Intl.DateTimeFormat;
  function DateTimeFormat(locales, options) {
    if (locales === undefined || options?.timeZone === undefined)
      refuse('the locale and the zone of the machine', 'name both, as in Intl.DateTimeFormat("en", { timeZone: "UTC" })');
    return new RealFormat(locales, options);
  }
  DateTimeFormat.prototype = RealFormat.prototype;
  DateTimeFormat.supportedLocalesOf = RealFormat.supportedLocalesOf;
  Object.defineProperty(RealFormat.prototype, 'constructor', { value: DateTimeFormat, writable: true, configurable: true });
  Object.defineProperty(Intl, 'DateTimeFormat', { value: DateTimeFormat, writable: true, configurable: true });
  for (const name of ['WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer', 'Atomics', 'WebAssembly', 'console'])
    delete globalThis[name];
})();`,
  { filename: 'featherflight-pure.js' },
);
