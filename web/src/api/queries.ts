// Hooks that read: one for each thing or list the pages show. Cached, shared, kept fresh by live.ts.
// Hooks that change something are in mutations.ts.

import {
  type InfiniteData,
  keepPreviousData,
  type QueryKey,
  useInfiniteQuery,
  useQuery,
} from '@tanstack/react-query';
import { api } from './client.ts';
import { ApiError, isSignedOut } from './errors.ts';
import { keys, type Session } from './query-client.ts';
import { asTold } from './told-status.ts';
import type { AlertFilter, AuditFilter, DetectionFilter } from './types.ts';

/** Who is signed in here. A refusal is an answer, not an error; an error means that the service cannot be asked. */
export function useSessionQuery() {
  return useQuery({
    queryKey: keys.session,
    staleTime: 60_000,
    queryFn: async ({ signal, client }): Promise<Session> => {
      try {
        return { state: 'signed_in', me: await api.me(signal) };
      } catch (error) {
        if (!isSignedOut(error)) throw error;
        if (error.code === 'setup_required') return { state: 'setup_required' };
        const before = client.getQueryData<Session>(keys.session);
        return { state: 'signed_out', ended: before?.state === 'signed_in' };
      }
    },
  });
}

/** Parts of the service that are not well: `database`, `storage`, `detector`; empty when all are. */
export function useTroubledParts(enabled: boolean): readonly string[] {
  const { data } = useQuery({
    queryKey: keys.readiness,
    enabled,
    refetchInterval: 5_000,
    queryFn: async ({ signal }) => {
      try {
        return (await api.readiness(signal)).degraded;
      } catch (error) {
        if (error instanceof ApiError && error.code === 'not_ready') return ['service'];
        throw error;
      }
    },
  });
  return data ?? [];
}

/** All saved cameras, in order of creation. Their status changes by itself. */
export function useStreams() {
  return useQuery({
    queryKey: keys.streams,
    queryFn: async ({ signal }) => (await api.streams(signal)).streams.map(asTold),
  });
}

export function useStream(id: string) {
  return useQuery({
    queryKey: keys.stream(id),
    queryFn: async ({ signal }) => asTold((await api.stream(id, signal)).stream),
  });
}

/** @param everyMs how often it is asked again while the page is seen. */
export function useStreamStats(id: string, everyMs = 2_000) {
  return useQuery({
    queryKey: keys.stats(id),
    queryFn: ({ signal }) => api.streamStats(id, signal),
    refetchInterval: everyMs,
    staleTime: 0,
  });
}

interface ListPage {
  readonly next_cursor: string | null;
}

/** A list that is fetched page by page while it is scrolled; `data.pages` are the replies. */
function useEndless<Reply extends ListPage>(
  queryKey: QueryKey,
  fetchPage: (cursor: string | undefined, signal: AbortSignal) => Promise<Reply>,
  options: { readonly staleTime?: number; readonly gcTime?: number; readonly enabled?: boolean } = {},
) {
  return useInfiniteQuery<
    Reply,
    Error,
    InfiniteData<Reply, string | undefined>,
    QueryKey,
    string | undefined
  >({
    queryKey,
    queryFn: ({ pageParam, signal }) => fetchPage(pageParam, signal),
    initialPageParam: undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    // Another filter: what was there stays until its rows have come.
    placeholderData: keepPreviousData,
    ...options,
  });
}

/** Newest first; live while an event socket is open. */
export function useAlerts(filter: AlertFilter, limit = 50, enabled = true) {
  return useEndless(
    keys.alertList(filter),
    (cursor, signal) => api.alerts({ ...filter, limit, cursor }, signal),
    { enabled },
  );
}

export function useAlert(id: string) {
  return useQuery({
    queryKey: keys.alert(id),
    queryFn: async ({ signal }) => (await api.alert(id, signal)).alert,
  });
}

/** How many alerts nobody has viewed; undefined until it is known. */
export function useUnviewedCount(): number | undefined {
  const { data } = useQuery({
    queryKey: keys.unviewed,
    queryFn: async ({ signal }) => (await api.alerts({ limit: 1 }, signal)).unviewed,
  });
  return data;
}

/** Newest first. */
export function useDetections(filter: DetectionFilter, limit = 60) {
  return useEndless(keys.detectionList(filter), (cursor, signal) =>
    api.detections({ ...filter, limit, cursor }, signal),
  );
}

/** Newest first, as they were when it was opened: what is looked at does not move. */
export function useGallery(filter: DetectionFilter, limit = 120) {
  return useEndless(
    keys.gallery(filter),
    (cursor, signal) => api.detections({ ...filter, limit, cursor }, signal),
    { staleTime: Number.POSITIVE_INFINITY, gcTime: 0 },
  );
}

export function useDetection(id: string) {
  return useQuery({
    queryKey: keys.detection(id),
    queryFn: async ({ signal }) => (await api.detection(id, signal)).detection,
  });
}

/** In order of creation. For admins. */
export function useUsers() {
  return useEndless(keys.users, (cursor, signal) => api.users({ limit: 100, cursor }, signal));
}

/** In order of creation. For admins. */
export function useTokens() {
  return useEndless(keys.tokens, (cursor, signal) => api.tokens({ limit: 100, cursor }, signal));
}

/** Newest first. For admins. */
export function useAudit(filter: AuditFilter) {
  return useEndless(keys.auditList(filter), (cursor, signal) =>
    api.audit({ ...filter, limit: 100, cursor }, signal),
  );
}
