// New alerts, carried into the lists that are shown: one request for the newest, however long the lists have become.
// When there may be new ones is told by live.ts.

import type { InfiniteData } from '@tanstack/react-query';
import { api } from './client.ts';
import { keys, queryClient } from './query-client.ts';
import type { Alert, AlertFilter, AlertsReply } from './types.ts';

const newestLimit = 100;
/** A page that stays open for days asks for its list anew from time to time, instead of keeping all that ever came. */
const keptNews = 500;

type AlertPages = InfiniteData<AlertsReply, string | undefined>;

/** Newest first, as the service orders them. */
export function newerFirst(a: Alert, b: Alert): number {
  return Date.parse(b.timestamp) - Date.parse(a.timestamp) || (a.id < b.id ? 1 : -1);
}

export function isIn({ stream_id, viewed, since, until }: AlertFilter, alert: Alert): boolean {
  const time = Date.parse(alert.timestamp);
  return (
    (stream_id === undefined || stream_id === alert.stream_id) &&
    (viewed === undefined || viewed === alert.viewed) &&
    (since === undefined || time >= Date.parse(since)) &&
    (until === undefined || time < Date.parse(until))
  );
}

/**
 * A list with what is new in it; all that is there stays in its place.
 * @param complete no alert lies unseen between the list and the oldest of `news`; `unviewed` of all cameras.
 * @returns null when one may, or the list has become too long: then it has to be asked for again.
 */
export function withNews(
  pages: readonly AlertsReply[],
  news: readonly Alert[],
  filter: AlertFilter,
  { complete, unviewed }: { readonly complete: boolean; readonly unviewed: number },
): AlertsReply[] | null {
  const [first, ...rest] = pages;
  if (!first) return null;
  const known = new Map(pages.flatMap((page) => page.alerts.map((alert) => [alert.id, alert])));
  if (!complete && !news.some(({ id }) => known.has(id))) return null;
  const fresh = new Map(news.map((alert) => [alert.id, alert]));
  // Beyond the end of what has been loaded: they come with their page.
  const oldest = first.next_cursor === null ? undefined : first.alerts.at(-1);
  const added = news.filter(
    (alert) => !known.has(alert.id) && isIn(filter, alert) && (!oldest || newerFirst(alert, oldest) < 0),
  );
  if (first.alerts.length + added.length > keptNews) return null;
  // What somebody else has marked stays where it is seen, and says so.
  const renewed = (alerts: readonly Alert[]) => alerts.map((alert) => fresh.get(alert.id) ?? alert);
  const others = first.unviewed + added.filter(({ viewed }) => !viewed).length;
  return [
    {
      ...first,
      alerts: [...added, ...renewed(first.alerts)].sort(newerFirst),
      unviewed: filter.stream_id === undefined ? unviewed : others,
    },
    ...rest.map((page) => ({ ...page, alerts: renewed(page.alerts) })),
  ];
}

/** Of the reply before: every list holds all that was there then. */
let lastIds: ReadonlySet<string> = new Set();

/** Asks for the newest alerts and puts them where they belong. Rejects with ApiError. */
export async function fetchNewAlerts(): Promise<void> {
  const { alerts, unviewed } = await api.alerts({ limit: newestLimit });
  // What has just been marked here may not be so there yet: asked again when it is.
  if (queryClient.isMutating() > 0) return void queryClient.invalidateQueries({ queryKey: keys.alerts });
  const complete = alerts.length < newestLimit || alerts.some(({ id }) => lastIds.has(id));
  lastIds = new Set(alerts.map(({ id }) => id));
  queryClient.setQueryData<number>(keys.unviewed, unviewed);
  const lists = queryClient.getQueryCache().findAll({ queryKey: keys.alertLists });
  for (const list of lists) {
    const filter = list.queryKey[2] as AlertFilter;
    const data = list.state.data as AlertPages | undefined;
    const pages = data && withNews(data.pages, alerts, filter, { complete, unviewed });
    if (pages) queryClient.setQueryData<AlertPages>(list.queryKey, { ...data, pages });
    else if (data) void queryClient.invalidateQueries({ queryKey: list.queryKey });
  }
  for (const alert of alerts) {
    const key = keys.alert(alert.id);
    if (queryClient.getQueryData(key)) queryClient.setQueryData<Alert>(key, alert);
  }
}
