/** docs/monitoring/alerts.yml in Prometheus' own evaluation: each alert fires for its fault, and none where all is well. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { findPromtool } from '../../support/find-promtool.ts';
import { runProgram } from '../../support/run-program.ts';
import { alerts, alertsPath } from './read-files.ts';

const promtool = await findPromtool();
const directory = mkdtempSync(join(tmpdir(), 'featherflight-alerts-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('every alert says how grave it is and what to do', () => {
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  for (const { alert, labels, annotations } of alerts) {
    expect(['critical', 'warning', 'info'], alert).toContain(labels.severity);
    expect(annotations.summary.length, alert).toBeGreaterThan(10);
    expect(annotations.description, alert).toMatch(/\.$/);
  }
});

/** A series, and its values a minute apart in promtool's notation: `0+60x10` is 0, 60, 120, …, 600. */
type Series = readonly [name: string, labels: Readonly<Record<string, string>>, values: string];

const online = { route: '/api/v1/online-features', service: 'ranker' };
const view = { view: 'user' };
const clock = { view: 'user', by: 'processing' };
const feature = { view: 'user', feature: 'age' };
const partition = { source: 'clicks', partition: '0' };
const source = { source: 'clicks' };
/** These compare with a day ago, or wait for a day. */
const ofDay = ['FeatherflightDefaultsRise', 'FeatherflightParityWithoutData'];
const day = 1440;

/** Where all is well, for so many minutes and two hours more. */
const well = (before: number): readonly Series[] => [
  ['up', {}, `1x${before + 120}`],
  ['featherflight_http_request_seconds_count', { ...online, status: '200' }, `0+600x${before + 120}`],
  ['featherflight_http_request_seconds_count', { ...online, status: '503' }, `0+1x${before + 120}`],
  ['featherflight_http_request_seconds_bucket', { ...online, status: '200', le: '0.01' }, `0+600x${before + 120}`],
  ['featherflight_http_request_seconds_bucket', { ...online, status: '200', le: '1' }, `0+600x${before + 120}`],
  ['featherflight_http_request_seconds_bucket', { ...online, status: '200', le: '+Inf' }, `0+600x${before + 120}`],
  ['featherflight_online_store_seconds_count', { operation: 'read', outcome: 'ok' }, `0+600x${before + 120}`],
  ['featherflight_audit_lost_lines_total', { act: 'refused' }, `3x${before + 120}`],
  ['featherflight_audit_waiting_lines', {}, `0x${before + 120}`],
  ['nodejs_eventloop_lag_p99_seconds', {}, `0.01x${before + 120}`],
  ['process_open_fds', {}, `40x${before + 120}`],
  ['process_max_fds', {}, `1000x${before + 120}`],
  ['featherflight_online_values_total', { ...view, status: 'PRESENT' }, `0+950x${before + 120}`],
  ['featherflight_online_defaults_total', view, `0+100x${before + 120}`],
  ['featherflight_online_out_of_range_total', feature, `3x${before + 120}`],
  ['featherflight_materialization_lag_seconds', view, `90000x${before + 120}`],
  ['featherflight_view_source_age_seconds', view, `90000x${before + 120}`],
  ['featherflight_view_freshness_missed', clock, `0x${before + 120}`],
  ['featherflight_parity_result', feature, `1x${before + 120}`],
  ['featherflight_drift_result', feature, `1x${before + 120}`],
  ['featherflight_scheduled_check_missed', { kind: 'parity' }, `0x${before + 120}`],
  ['featherflight_alert_messages_total', { outcome: 'delivered' }, `0+1x${before + 120}`],
  ['featherflight_feature_log_dropped_rows_total', { reason: 'buffer' }, `7x${before + 120}`],
  ['featherflight_stream_up', source, `1x${before + 120}`],
  ['featherflight_stream_lag_seconds', partition, `20x${before + 120}`],
  ['featherflight_stream_events_total', partition, `0+1000x${before + 120}`],
  ['featherflight_stream_set_aside_total', partition, `0+1x${before + 120}`],
  ['featherflight_stream_late_total', partition, `0+5x${before + 120}`],
  ['featherflight_stream_ignored_fields_total', source, `5x${before + 120}`],
  ['featherflight_stream_oversized_states_total', source, `5x${before + 120}`],
];

/** Alert -> the series that are otherwise than where all is well, from so many minutes on. */
const faults: Readonly<Record<string, (before: number) => readonly Series[]>> = {
  FeatherflightDown: (before) => [['up', {}, `1x${before} 0x120`]],
  FeatherflightRequestsFail: (before) => [
    ['featherflight_http_request_seconds_count', { ...online, status: '503' }, `0+1x${before} ${before}+30x120`],
  ],
  FeatherflightReadsSlow: (before) => [
    [
      'featherflight_http_request_seconds_bucket',
      { ...online, status: '200', le: '0.01' },
      `0+600x${before} ${before * 600}+500x120`,
    ],
  ],
  FeatherflightOnlineStoreFails: (before) => [
    ['featherflight_online_store_seconds_count', { operation: 'read', outcome: 'failed' }, `0x${before} 0+1x120`],
  ],
  FeatherflightAuditLogFails: (before) => [['featherflight_audit_lost_lines_total', { act: 'refused' }, `3x${before} 3+1x120`]],
  FeatherflightEventLoopBusy: (before) => [['nodejs_eventloop_lag_p99_seconds', {}, `0.01x${before} 0.5x120`]],
  FeatherflightOpenFiles: (before) => [['process_open_fds', {}, `40x${before} 900x120`]],
  FeatherflightDefaultsRise: (before) => [
    ['featherflight_online_defaults_total', view, `0+100x${before} ${before * 100}+400x120`],
  ],
  FeatherflightSumsOutOfRange: (before) => [['featherflight_online_out_of_range_total', feature, `3x${before} 3+1x120`]],
  FeatherflightMaterializationLate: (before) => [
    ['featherflight_materialization_lag_seconds', view, `90000x${before} 200000x120`],
  ],
  FeatherflightSourceStale: (before) => [['featherflight_view_source_age_seconds', view, `90000x${before} 200000x120`]],
  FeatherflightFreshnessMissed: (before) => [['featherflight_view_freshness_missed', clock, `0x${before} 1x120`]],
  FeatherflightFeatureAlarm: (before) => [
    ['featherflight_feature_alarm', { ...feature, alarm: 'constant' }, `0x${before} 1x120`],
  ],
  FeatherflightMessagesGivenUp: (before) => [
    ['featherflight_alert_messages_total', { outcome: 'dropped' }, `0x${before} 0+1x120`],
  ],
  FeatherflightParityFails: (before) => [['featherflight_parity_result', feature, `1x${before} 0x120`]],
  FeatherflightParityWithoutData: (before) => [['featherflight_parity_result', feature, `-1x${before + 120}`]],
  FeatherflightDrift: (before) => [['featherflight_drift_result', feature, `1x${before} 0x120`]],
  FeatherflightCheckMissed: (before) => [['featherflight_scheduled_check_missed', { kind: 'parity' }, `0x${before} 1x120`]],
  FeatherflightLogDropsRows: (before) => [
    ['featherflight_feature_log_dropped_rows_total', { reason: 'buffer' }, `7x${before} 7+10x120`],
  ],
  FeatherflightStreamStands: (before) => [['featherflight_stream_up', source, `1x${before} 0x120`]],
  FeatherflightStreamBehind: (before) => [['featherflight_stream_lag_seconds', partition, `20x${before} 400x120`]],
  FeatherflightEventsSetAside: (before) => [
    ['featherflight_stream_set_aside_total', partition, `0+1x${before} ${before}+50x120`],
  ],
  FeatherflightEventsLate: (before) => [['featherflight_stream_late_total', partition, `0+5x${before} ${before * 5}+50x120`]],
  FeatherflightFieldsIgnored: (before) => [['featherflight_stream_ignored_fields_total', source, `5x${before} 5+1x120`]],
  FeatherflightStatesLarge: (before) => [['featherflight_stream_oversized_states_total', source, `5x${before} 5+1x120`]],
};

const idOf = ([name, labels]: Series) =>
  `${name}{${Object.entries({ job: 'featherflight', instance: 'a', ...labels })
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;

/** What is firing two hours after the fault began. */
function caseOf(before: number, changed: readonly Series[], firing: readonly string[]) {
  const kept = well(before).filter((each) => !changed.some((other) => idOf(other) === idOf(each)));
  return {
    interval: '1m',
    input_series: [...kept, ...changed].map((each) => ({ series: idOf(each), values: each[2] })),
    promql_expr_test: [
      {
        expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
        eval_time: `${before + 120}m`,
        exp_samples: firing.map((alertname) => ({ labels: `{alertname="${alertname}"}`, value: 1 })),
      },
    ],
  };
}

describe.skipIf(promtool === undefined)('promtool (left out where there is none: install Prometheus)', () => {
  const run = (args: readonly string[]) => runProgram(promtool as string, args);

  it('takes the rules', async () => {
    const { status, stdout, stderr } = await run(['check', 'rules', alertsPath]);
    expect(status, stdout + stderr).toBe(0);
    expect(stdout).toContain(`${alerts.length} rules found`);
  });

  it('has every alert fire for its fault and for no other, and none where all is well', async () => {
    expect(Object.keys(faults).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
    const ofFaults = Object.entries(faults).map(([alert, changedAfter]) => {
      const before = ofDay.includes(alert) ? day : 60;
      return caseOf(before, changedAfter(before), [alert]);
    });
    const tests = [caseOf(day, [], []), ...ofFaults];
    const path = join(directory, 'faults.json');
    writeFileSync(path, JSON.stringify({ rule_files: [alertsPath], evaluation_interval: '1m', tests }));
    const { status, stdout, stderr } = await run(['test', 'rules', path]);
    expect(status, (stdout + stderr).slice(0, 4000)).toBe(0);
  });
});
