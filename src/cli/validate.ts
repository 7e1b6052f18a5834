/** `featherflight validate parity`: whether what is served is what training gets, here or by a server. */
import { Command, InvalidArgumentError } from 'commander';
import { silentLogger } from '../observe.ts';
import { readState } from '../registry/state.ts';
import { openLogReader } from '../serve/log-files.ts';
import { createValidations } from '../serve/validations.ts';
import type { ParityReport } from '../validate/parity/report.ts';
import type { ParityProgress } from '../validate/parity/run.ts';
import type { Context } from './context.ts';
import { endWithFailure } from './exit.ts';
import { formatParity } from './format-parity.ts';
import { withOnlineStore } from './online.ts';
import { runThere, urlOption } from './remote.ts';
import { driftCommand } from './validate-drift.ts';
import { leaksCommand } from './validate-leaks.ts';

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly live?: true;
  readonly features?: readonly string[];
  readonly service?: string;
  readonly pairs?: readonly (readonly [string, string])[];
  readonly sample?: number;
  readonly tolerance?: Readonly<Record<string, { readonly relative: number; readonly absolute: number }>>;
  readonly examine?: number;
  readonly url?: string;
}

export function validateCommand(context: Context): Command {
  return new Command().addCommand(parityCommand(context)).addCommand(leaksCommand(context)).addCommand(driftCommand(context));
}

function parityCommand(context: Context): Command {
  return new Command('parity')
    .description('compare what was served with what training gets; exit status 0 only for PASS')
    .option('--from <instant>', 'only what was served from then on; default: 24 hours before --to')
    .option('--to <instant>', 'only what was served before then; default: now')
    .option('--live', 'read a sample of keys online now, and not what was logged')
    .option('--features <list>', 'only these: view:feature,…', (text: string) => text.split(','))
    .option('--service <name>', 'only the features of a service')
    .option('--pairs <list>', 'batch against stream in history: view:feature=view:feature,…', parsePairs)
    .option('--sample <n>', 'rows of the log of each shape, or keys of each view, at most', parseCount)
    .option('--tolerance <spec>', 'view:feature=RELATIVE[,ABSOLUTE]; may be repeated', parseTolerance, {})
    .option('--examine <n>', 'differences of a feature whose cause is looked for; default 50', parseCount)
    .addOption(urlOption(context))
    .action((options: Options) => checkParity(context, options));
}

async function checkParity(context: Context, { url, tolerance, ...given }: Options): Promise<void> {
  const input = { kind: 'parity', ...given, tolerances: tolerance };
  const show = ({ rows, pairs, differences }: ParityProgress) =>
    context.progress(
      `${rows.toLocaleString('en')} rows, ${pairs.toLocaleString('en')} values, ${differences} differ`.slice(0, 79),
    );
  const report =
    url === undefined
      ? await checkHere(context, input, show)
      : ((await runThere(url, context, { type: 'validate', input }, show)) as ParityReport);
  context.progress('');
  await context.write(context.json ? `${JSON.stringify(report)}\n` : formatParity(report));
  if (report.result !== 'PASS') endWithFailure();
}

async function checkHere(context: Context, input: unknown, show: (progress: ParityProgress) => void): Promise<ParityReport> {
  return await withOnlineStore(context, async ({ config, registry, history, store }) => {
    const state = readState(config.state);
    try {
      const validations = createValidations({
        ...{ config, history, store, registry: () => registry, logger: silentLogger },
        readDocument: (version) => state.readDocument(version),
        log: openLogReader({ config, history, store }, registry.project),
        // What a server holds in memory is not seen from here.
        flushLog: async () => {},
      });
      const report = await validations.run(input, context.interruption(), (progress) => show(progress as ParityProgress));
      return report as unknown as ParityReport;
    } finally {
      await state.close();
    }
  });
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 0) throw new InvalidArgumentError('it is a whole number.');
  return count;
}

function parsePairs(text: string): readonly (readonly [string, string])[] {
  return text.split(',').map((pair) => {
    const [one, other, more] = pair.split('=');
    if (!one || !other || more !== undefined) throw new InvalidArgumentError(`write view:feature=view:feature, not "${pair}".`);
    return [one, other] as const;
  });
}

function parseTolerance(text: string, known: NonNullable<Options['tolerance']>): NonNullable<Options['tolerance']> {
  const [, name, relative, absolute = '0'] = /^([^=]+)=([^,]+)(?:,([^,]+))?$/.exec(text) ?? [];
  const numbers = [Number(relative), Number(absolute)] as const;
  if (name === undefined || !numbers.every((value) => value >= 0))
    throw new InvalidArgumentError('write view:feature=RELATIVE[,ABSOLUTE], such as activity:score=1e-6,0.01.');
  return { ...known, [name]: { relative: numbers[0], absolute: numbers[1] } };
}
