// Figures of the last hour: fetched once, then only what is new, joined to what is there.
// Drawing them belongs to the page.

import { type QueryKey, queryOptions, useQueries, useQuery } from '@tanstack/react-query';
import { api } from './client.ts';
import { keys } from './query-client.ts';
import type { CameraPerformance, ServicePerformance } from './types.ts';

/** The service takes a sample every few seconds; asking a little less often loses nothing. */
const everyMs = 5_000;
const hourMs = 3_600_000;

type Performance = CameraPerformance | ServicePerformance;

/** What was there with what came after it, cut to the last hour; the newer part alone where there is a hole between them. */
export function joined<Reply extends Performance>(before: Reply | undefined, news: Reply): Reply {
  if (!before?.end || !before.start || before.interval_s !== news.interval_s) return news;
  if (!news.start || !news.end) return before;
  const stepMs = news.interval_s * 1000;
  const gap = Date.parse(news.start) - Date.parse(before.end);
  if (gap <= 0 || gap > 1.5 * stepMs) return news;
  const most = Math.floor(hourMs / stepMs);
  const columns = Object.entries(news.series).map(([name, values]) => {
    const all = [...(before.series as Record<string, (number | null)[]>)[name]!, ...values];
    return [name, all.slice(-most)] as const;
  });
  const length = columns[0]?.[1].length ?? 0;
  const start = new Date(Date.parse(news.end) - (length - 1) * stepMs).toISOString();
  return { ...news, start, series: Object.fromEntries(columns) } as Reply;
}

/** @param intervalMs between two requests. */
function historyOf<Reply extends Performance>(
  queryKey: QueryKey,
  fetchSince: (since: string | undefined, signal: AbortSignal) => Promise<Reply>,
  intervalMs = everyMs,
) {
  return queryOptions({
    queryKey,
    refetchInterval: intervalMs,
    staleTime: 0,
    structuralSharing: false,
    queryFn: async ({ signal, client }) => {
      const before = client.getQueryData<Reply>(queryKey);
      const news = await fetchSince(before?.end ?? undefined, signal);
      return joined(before, news);
    },
  });
}

function historyOfCamera(id: string, intervalMs?: number) {
  return historyOf<CameraPerformance>(
    keys.streamPerformance(id),
    (since, signal) => api.streamPerformance(id, since, signal),
    intervalMs,
  );
}

/** Of one camera, renewed while it is looked at. */
export function useCameraPerformance(id: string) {
  return useQuery(historyOfCamera(id));
}

/** With many cameras each is asked less often: some requests a second, however many there are. */
const perCameraMs = 200;

/** Of many cameras, in the order of `ids`; undefined until the first figures have come. */
export function useCamerasPerformance(ids: readonly string[]): readonly (CameraPerformance | undefined)[] {
  const intervalMs = Math.max(everyMs, ids.length * perCameraMs);
  return useQueries({
    queries: ids.map((id) => historyOfCamera(id, intervalMs)),
    combine: dataOf,
  });
}

function dataOf(results: readonly { readonly data: CameraPerformance | undefined }[]) {
  return results.map(({ data }) => data);
}

/** Of the whole service, renewed while it is looked at. */
export function useServicePerformance() {
  return useQuery(
    historyOf<ServicePerformance>([...keys.performance, 'service'], (since, signal) =>
      api.performance(since, signal),
    ),
  );
}
