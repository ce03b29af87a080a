// The order of the inbox, and lists into which news come.

import { expect, test } from 'vitest';
import { withNews } from '../../api/alert-news.ts';
import type { Alert, AlertsReply } from '../../api/types.ts';
import { itemsOf, sectionsOf } from './sections.ts';

/** @param minute later ones are newer. */
function alert(id: string, minute: number, viewed: boolean, camera = 'door'): Alert {
  return {
    id,
    detection_id: `d-${id}`,
    detections_count: 1,
    stream_id: camera,
    stream: camera,
    confidence_score: 0.9,
    image_url: null,
    thumbnail_url: null,
    timestamp: new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString(),
    viewed,
  };
}

const ids = (alerts: readonly Alert[]) => alerts.map(({ id }) => id);
const page = (alerts: Alert[], next_cursor: string | null = null): AlertsReply => ({
  alerts,
  unviewed: alerts.filter(({ viewed }) => !viewed).length,
  next_cursor,
});

test('unviewed come first, each part newest first, with headings where both are shown', () => {
  const all = [alert('a', 1, true), alert('b', 2, false), alert('c', 3, true), alert('d', 4, false)];
  const sections = sectionsOf(all, new Map(), {});
  expect(ids(sections.unviewed)).toEqual(['d', 'b']);
  expect(ids(sections.viewed)).toEqual(['c', 'a']);
  expect(itemsOf(sections, ['unviewed', 'viewed']).map(({ key }) => key)).toEqual([
    'unviewed',
    'd',
    'b',
    'viewed',
    'c',
    'a',
  ]);
  expect(itemsOf(sections, ['unviewed']).map(({ key }) => key)).toEqual(['d', 'b']);
});

test('what is marked stays in its place, even when the list no longer has it, but not in another search', () => {
  const marked = alert('b', 2, true);
  const held = new Map([['b', { section: 'unviewed' as const, alert: marked }]]);
  const listed = [alert('a', 1, false), alert('c', 3, false)];
  expect(ids(sectionsOf(listed, held, {}).unviewed)).toEqual(['c', 'b', 'a']);
  expect(ids(sectionsOf([...listed, marked], held, {}).viewed)).toEqual([]);
  expect(ids(sectionsOf(listed, held, { stream_id: 'gate' }).unviewed)).not.toContain('b');
});

test('news join the lists they belong to; a list with a possible hole has to be asked for again', () => {
  const list = [page([alert('c', 3, false), alert('b', 2, false)], 'more'), page([alert('a', 1, false)])];
  const news = [
    alert('e', 5, false, 'gate'),
    alert('d', 4, false),
    alert('c', 3, true),
    alert('0', 0, false),
  ];
  const known = { complete: true, unviewed: 7 };
  const joined = withNews(list, news, {}, known)!;
  expect(ids(joined[0]!.alerts)).toEqual(['e', 'd', 'c', 'b']);
  expect(joined[0]!.alerts[2]!.viewed).toBe(true);
  expect(joined[0]!.unviewed).toBe(7);
  expect(ids(joined[1]!.alerts)).toEqual(['a']);
  expect(ids(withNews(list, news, { stream_id: 'door' }, known)![0]!.alerts)).toEqual(['d', 'c', 'b']);
  expect(ids(withNews(list, news, { viewed: true }, known)![0]!.alerts)).toEqual(['c', 'b']);
  const unknown = { ...known, complete: false };
  expect(withNews(list, news.slice(0, 2), {}, unknown)).toBeNull();
  expect(withNews(list, news, {}, unknown)).not.toBeNull();
});
