/** What Prometheus is told of the last check of parity and of drift of each feature, and of scheduled ones that could not be made. */
import { Gauge, type Registry } from 'prom-client';
import type { DriftFeature } from '../validate/drift/report.ts';
import type { ScheduledChecks } from '../validate/missed-checks.ts';
import type { ParityFeature } from '../validate/parity/report.ts';

export interface ReportMetrics {
  watchParity(read: Read<ParityFeature>): void;
  watchDrift(read: Read<DriftFeature>): void;
  watchScheduled(read: () => Promise<ScheduledChecks>): void;
}

type Read<Feature> = () => Promise<readonly Feature[]>;

interface Told {
  readonly view: string;
  readonly feature: string;
  readonly against?: string;
}

interface Checks<Feature> {
  readonly read: Read<Feature>;
  readonly labelNames: string[];
}

export function createReportMetrics(registry: Registry): ReportMetrics {
  let readParity: Read<ParityFeature> = async () => [];
  let readDrift: Read<DriftFeature> = async () => [];
  let readScheduled: () => Promise<ScheduledChecks> = async () => ({});
  const parity: Checks<ParityFeature> = { read: () => readParity(), labelNames: ['view', 'feature', 'against'] };
  const drift: Checks<DriftFeature> = { read: () => readDrift(), labelNames: ['view', 'feature'] };

  function gauge<T extends Told>(name: string, help: string, checks: Checks<T>, of: (told: T) => number | null) {
    const { read, labelNames } = checks;
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      async collect() {
        // Beside a worker that is gone everything else is still told.
        const features = await read().catch(() => []);
        this.reset();
        for (const told of features) {
          const value = of(told);
          const { view, feature, against } = told;
          // An empty label is none to Prometheus, and tells its rules that the label is known.
          const more = labelNames.includes('against') ? { against: against ?? '' } : {};
          if (value !== null) this.set({ view, feature, ...more }, value);
        }
      },
    });
  }

  const within = ({ share_within: share }: ParityFeature) => share;
  const psi = (told: DriftFeature) => told.psi;
  const result = (told: ParityFeature | DriftFeature) => numbers[told.result];
  gauge(
    'featherflight_parity_share_within',
    'Share of values served that are what training gets, within tolerance, by the last check of parity',
    parity,
    within,
  );
  gauge(
    'featherflight_parity_result',
    'Result of the last check of parity of the feature: 1 PASS, 0 FAIL, -1 NO DATA',
    parity,
    result,
  );
  gauge('featherflight_drift_psi', 'Population stability index of what is served, by the last check of drift', drift, psi);
  gauge(
    'featherflight_drift_result',
    'Result of the last check of drift of the feature: 1 PASS, 0 FAIL, -1 NO DATA',
    drift,
    result,
  );
  new Gauge({
    name: 'featherflight_scheduled_check_missed',
    help: 'Whether the last check of the schedule could not be made: 1 until one is made again, else 0',
    labelNames: ['kind'],
    registers: [registry],
    async collect() {
      const kinds = await readScheduled().catch(() => ({}));
      this.reset();
      for (const [kind, missed] of Object.entries(kinds)) this.set({ kind }, missed === null ? 0 : 1);
    },
  });
  return {
    watchScheduled(read) {
      readScheduled = read;
    },
    watchParity(read) {
      readParity = read;
    },
    watchDrift(read) {
      readDrift = read;
    },
  };
}

const numbers = { PASS: 1, FAIL: 0, 'NO DATA': -1 } as const;
