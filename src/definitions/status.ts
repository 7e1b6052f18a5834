/** Why a value is what it is (section 5), in the order of the numbers that stand for the names in memory. */
export const statusNames = ['PRESENT', 'NULL_VALUE', 'NOT_FOUND', 'OUTSIDE_MAX_AGE'] as const;

export type StatusName = (typeof statusNames)[number];
