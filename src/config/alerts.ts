/** The section of the config that says what is told to somebody, and where. */
import { z } from 'zod';

const duration = z.string().regex(/^\d+[smhd]$/, 'is a duration such as "5m"');
const name = z.string().min(1);

/** Which members narrow the rules of a kind. */
const narrowedBy = {
  feature: ['view', 'feature'],
  parity: ['view', 'feature'],
  drift: ['view', 'feature'],
  lag: ['source', 'above'],
  freshness: ['view', 'by'],
} as const;
const narrowing = ['view', 'feature', 'source', 'by', 'above'] as const;

export const alertsSchema = z.strictObject({
  /** How often rules are looked at. */
  every: duration.refine((text) => !text.startsWith('0'), 'is more than nothing').default('15s'),
  rules: z
    .array(
      z
        .strictObject({
          /** An alarm of a feature, checks of parity or of drift that fail, a stream that lags, a view that misses its objective. */
          when: z.enum(['feature', 'parity', 'drift', 'lag', 'freshness']),
          view: name.optional(),
          feature: name.optional(),
          /** Of `lag`: the stream's source, and the seconds that are too many, 60 when absent. */
          source: name.optional(),
          above: z.number().min(0).optional(),
          /** Of `freshness`: one clock instead of both. */
          by: z.enum(['event', 'processing']).optional(),
          /** How long it must last before it is told. */
          for: duration.default('0s'),
          severity: z.enum(['warning', 'critical']).default('warning'),
        })
        .superRefine((rule, context) => {
          // A rule that is narrowed by what its kind does not have would be silent for ever.
          const known: readonly string[] = narrowedBy[rule.when];
          for (const member of narrowing) {
            if (rule[member] === undefined || known.includes(member)) continue;
            const message = `is not for rules of "${rule.when}", which ${known.join(' and ')} narrow`;
            context.addIssue({ code: 'custom', path: [member], message });
          }
        })
        .transform(({ above = 60, ...rule }) => ({ ...rule, above })),
    )
    .superRefine((rules, context) => {
      const first = new Map<string, number>();
      for (const [at, { when, view, feature, source, by, above, severity }] of rules.entries()) {
        const meant = JSON.stringify([when, view, feature, source, by, above, severity]);
        const earlier = first.get(meant);
        first.set(meant, earlier ?? at);
        if (earlier === undefined) continue;
        // The same would be told twice, whatever `for` says.
        const message = `means the same as rules.${earlier}: narrow one, give it another severity, or remove it`;
        context.addIssue({ code: 'custom', path: [at], message });
      }
    }),
  /** Takes what Slack takes; absent: alerts stand in the log and in the metrics alone. */
  webhook: z
    .strictObject({
      url: z.url({ protocol: /^https?$/, error: 'is an http or https URL' }),
      /** Sent with each message, such as `{ name: 'authorization', value: process.env.HOOK_TOKEN }`. */
      secretHeader: z.strictObject({ name, value: name }).optional(),
    })
    .optional(),
});
