// Which alerts stand where in the inbox: unviewed first. What is marked stays in its place until the inbox is opened anew.
// Pure; fetching and marking are elsewhere.

import { isIn, newerFirst } from '../../api/alert-news.ts';
import type { Alert, AlertFilter } from '../../api/types.ts';

export type Section = 'unviewed' | 'viewed';

/** What was marked here, by id: where it stood, and as it is now. */
export type Held = ReadonlyMap<string, { readonly section: Section; readonly alert: Alert }>;

export const sectionOf = (alert: Alert): Section => (alert.viewed ? 'viewed' : 'unviewed');

/**
 * @param listed as the service lists them; the same alert may come twice while lists are renewed.
 * @param filter without `viewed`.
 * @returns both newest first.
 */
export function sectionsOf(
  listed: readonly Alert[],
  held: Held,
  filter: AlertFilter,
): Readonly<Record<Section, Alert[]>> {
  const all = new Map<string, Alert>();
  for (const { alert } of held.values()) if (isIn(filter, alert)) all.set(alert.id, alert);
  for (const alert of listed) all.set(alert.id, alert);
  const sections: Record<Section, Alert[]> = { unviewed: [], viewed: [] };
  for (const alert of all.values()) sections[held.get(alert.id)?.section ?? sectionOf(alert)].push(alert);
  sections.unviewed.sort(newerFirst);
  sections.viewed.sort(newerFirst);
  return sections;
}

export type InboxItem =
  | { readonly kind: 'heading'; readonly key: Section; readonly section: Section }
  | { readonly kind: 'alert'; readonly key: string; readonly alert: Alert };

/** Headings only where there is something to tell apart. */
export function itemsOf(
  sections: Readonly<Record<Section, Alert[]>>,
  shown: readonly Section[],
): InboxItem[] {
  return shown
    .filter((section) => sections[section].length > 0)
    .flatMap((section): InboxItem[] => [
      ...(shown.length > 1 ? [{ kind: 'heading' as const, key: section, section }] : []),
      ...sections[section].map((alert) => ({ kind: 'alert' as const, key: alert.id, alert })),
    ]);
}
