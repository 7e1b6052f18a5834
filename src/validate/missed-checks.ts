/** Which scheduled checks could not be made last time, since when and why. */

export const scheduledKinds = ['parity', 'drift'] as const;
export type ScheduledKind = (typeof scheduledKinds)[number];

export interface MissedCheck {
  /** ISO instant of the first of those that could not be made in a row. */
  readonly since: string;
  readonly error: string;
}

/** Of kinds that have a schedule: null where the last one was made, or none was due yet. */
export type ScheduledChecks = Readonly<Partial<Record<ScheduledKind, MissedCheck | null>>>;
