// The times people search by, as moments of the viewer's time zone.
// How they are chosen is in record-filters.tsx.

export const rangeNames = ['any', 'hour', 'today', 'yesterday', 'week', 'custom'] as const;
export type RangeName = (typeof rangeNames)[number];

export interface TimeRange {
  /** ISO 8601; `since` is inside, `until` is not. */
  readonly since?: string;
  readonly until?: string;
}

const hourMs = 3_600_000;

/** Local midnight, so many days before that of `now`; days of 23 and 25 hours exist. */
function midnight(now: number, daysBefore: number): string {
  const at = new Date(now);
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() - daysBefore).toISOString();
}

/** @param field as of a field for date and time, local: `2026-01-31T14:05`. */
function momentOf(field: string): string | undefined {
  const at = new Date(field);
  return field === '' || Number.isNaN(at.getTime()) ? undefined : at.toISOString();
}

/**
 * @param from,until of `custom`, as `datetime-local` fields give them; empty for no end.
 * @param now ms since 1970.
 */
export function timeRange(name: RangeName, from: string, until: string, now: number): TimeRange {
  if (name === 'hour') return { since: new Date(now - hourMs).toISOString() };
  if (name === 'today') return { since: midnight(now, 0) };
  if (name === 'yesterday') return { since: midnight(now, 1), until: midnight(now, 0) };
  if (name === 'week') return { since: midnight(now, 6) };
  if (name === 'any') return {};
  const [since, end] = [momentOf(from), momentOf(until)];
  return { ...(since && { since }), ...(end && { until: end }) };
}
