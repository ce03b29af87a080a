// Times and numbers as people read them, in the time zone of the viewer.
// Words come from text.ts; components that show a time and keep it fresh are in ui/time.tsx.

import { text } from './text.ts';

/** The order of day and month follows the reader's English; other languages get the international one until they are translated. */
export const locale = navigator.languages.find((language) => /^en\b/i.test(language)) ?? 'en-GB';

const time = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const shortTime = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit' });
const date = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
const dayOfYear = new Intl.DateTimeFormat(locale, { weekday: 'short', day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'long' });
const ago = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });

type Moment = string | number | Date;

const dayMs = 86_400_000;

function startOfDay(moment: Date): number {
  return new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();
}

/** 14:03:27 */
export function formatTime(moment: Moment): string {
  return time.format(new Date(moment));
}

/** 3 Feb 2026 */
export function formatDate(moment: Moment): string {
  return date.format(new Date(moment));
}

/** 3 Feb 2026, 14:03 */
export function formatDateTime(moment: Moment): string {
  const at = new Date(moment);
  return `${date.format(at)}, ${shortTime.format(at)}`;
}

/** Today, 14:03:27 */
export function formatDayTime(moment: Moment): string {
  return `${formatDay(moment)}, ${formatTime(moment)}`;
}

/** With weekday and time zone, for tooltips. */
export function formatFull(moment: Moment): string {
  return full.format(new Date(moment));
}

/** Heading of a day in a list: Today, Yesterday, Tue, 3 Feb; with the year when it is another one. */
export function formatDay(moment: Moment, now = Date.now()): string {
  const at = new Date(moment);
  const today = new Date(now);
  // Days of 23 and 25 hours exist.
  const days = Math.round((startOfDay(today) - startOfDay(at)) / dayMs);
  if (days === 0) return text.time.today;
  if (days === 1) return text.time.yesterday;
  return at.getFullYear() === today.getFullYear() ? dayOfYear.format(at) : date.format(at);
}

/** just now, 5 min ago, 3 hr ago; from a day on the date. Moments to come likewise. */
export function formatRelative(moment: Moment, now = Date.now()): string {
  const ms = new Date(moment).getTime() - now;
  const size = Math.abs(ms);
  if (size < 45_000) return ms > 5_000 ? text.time.soon : text.time.justNow;
  if (size < 3_600_000) return ago.format(Math.round(ms / 60_000), 'minute');
  if (size < dayMs) return ago.format(Math.round(ms / 3_600_000), 'hour');
  if (size < 7 * dayMs) return ago.format(Math.round(ms / dayMs), 'day');
  return formatDate(moment);
}

/** @param fraction 0–1 */
export function formatPercent(fraction: number): string {
  return percent.format(fraction);
}

export function formatCount(count: number): string {
  return whole.format(count);
}

/** What is left of a short wait: 0:07, 14:53 */
export function formatCountdown(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds));
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`;
}

/** 45 s, 12 min, 3 h 5 min, 4 d 2 h */
export function formatDuration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return hours % 24 === 0 ? `${Math.floor(hours / 24)} d` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
