// Hooks that change something, and what the cache knows afterwards. Optimistic only where being wrong for a moment hurts nobody.
// Hooks that read are in queries.ts.

import { type InfiniteData, type QueryKey, useMutation } from '@tanstack/react-query';
import { api } from './client.ts';
import { endSession, forgetAll, keys, queryClient } from './query-client.ts';
import { asTold } from './told-status.ts';
import type * as t from './types.ts';

const invalidate = (...changed: readonly QueryKey[]) =>
  Promise.all(changed.map((queryKey) => queryClient.invalidateQueries({ queryKey })));

// --- Session

/** After either, the session is read anew, so that the page shows what the service says. */
export function useSignIn() {
  return useMutation({ mutationFn: api.signIn, onSuccess: () => startAnew() });
}

export function useSetUp() {
  return useMutation({ mutationFn: api.register, onSuccess: () => startAnew() });
}

async function startAnew(): Promise<void> {
  forgetAll();
  await queryClient.refetchQueries({ queryKey: keys.session });
}

/** Whoever wants to be out is out, even if the sign-in had ended already. */
export function useSignOut() {
  return useMutation({
    mutationFn: api.signOut,
    onSuccess: () => endSession({ state: 'signed_out', ended: false }),
  });
}

export function useChangeOwnPassword() {
  return useMutation({ mutationFn: api.changeOwnPassword });
}

// --- Streams

function putStream(reply: t.Stream): void {
  const stream = asTold(reply);
  // More than the status may have changed meanwhile: the size of the picture is known once there is one.
  if (stream.status !== reply.status) void invalidate(keys.streams);
  queryClient.setQueryData<t.Stream>(keys.stream(stream.id), stream);
  queryClient.setQueryData<t.Stream[]>(keys.streams, (list) =>
    list?.some(({ id }) => id === stream.id)
      ? list.map((one) => (one.id === stream.id ? stream : one))
      : list && [...list, stream],
  );
}

export function useCreateStream() {
  return useMutation({
    mutationFn: api.createStream,
    onSuccess: ({ message: _message, ...stream }) => putStream(stream),
  });
}

export function useChangeStream() {
  return useMutation({
    mutationFn: ({ id, ...change }: t.StreamChange & { id: string }) => api.changeStream(id, change),
    onSuccess: ({ stream }) => putStream(stream),
  });
}

/** Start and stop the camera; pause and resume its face detection. */
export function useStreamAction() {
  return useMutation({
    mutationFn: ({ id, action }: { id: string; action: t.StreamAction }) => api.setStreamStatus(id, action),
    onSuccess: ({ stream }) => putStream(stream),
  });
}

/** Tries an address before it is saved: one connection of at most about 10 s, which `signal` gives up. */
export function useCheckCamera() {
  return useMutation({
    mutationFn: ({ signal, ...body }: t.CameraCheckRequest & { signal?: AbortSignal | undefined }) =>
      api.checkCamera(body, signal),
  });
}

/** Its detections, alerts and images go with it. */
export function useDeleteStream() {
  return useMutation({
    mutationFn: api.deleteStream,
    onSuccess: (_reply, id) => {
      queryClient.setQueryData<t.Stream[]>(keys.streams, (list) => list?.filter((one) => one.id !== id));
      queryClient.removeQueries({ queryKey: keys.stream(id) });
      void invalidate(keys.alerts, keys.detections);
    },
  });
}

// --- Alerts and detections

type AlertPages = InfiniteData<t.AlertsReply, string | undefined>;

/** Applies a change to every cached alert, in lists and alone, and to the count. @returns puts everything back. */
function changeAlerts(
  change: (alert: t.Alert) => t.Alert | null,
  unviewed: (count: number) => number,
): () => void {
  const before = queryClient.getQueriesData({ queryKey: keys.alerts });
  queryClient.setQueriesData<AlertPages>({ queryKey: [...keys.alerts, 'list'] }, (data) => {
    if (!data) return data;
    const pages = data.pages.map((page) => ({
      ...page,
      unviewed: Math.max(0, unviewed(page.unviewed)),
      alerts: page.alerts.map(change).filter((alert) => alert !== null),
    }));
    return { ...data, pages };
  });
  queryClient.setQueriesData<t.Alert>({ queryKey: [...keys.alerts, 'one'] }, (alert) =>
    alert ? (change(alert) ?? undefined) : alert,
  );
  queryClient.setQueryData<number>(keys.unviewed, (count) => count && Math.max(0, unviewed(count)));
  return () => {
    for (const [queryKey, data] of before) queryClient.setQueryData(queryKey, data);
  };
}

/** What is fetched for the first time goes on: given up, it would never be asked for again. */
async function pauseAlertQueries(): Promise<void> {
  await queryClient.cancelQueries({
    queryKey: keys.alerts,
    predicate: ({ state }) => state.data !== undefined,
  });
}

/** At once on the page; put back when the service refuses. An alert stays in the list it is in until the list is asked again. */
export function useSetViewed() {
  return useMutation({
    mutationFn: ({ alert, viewed }: { alert: t.Alert; viewed: boolean }) => api.setViewed(alert.id, viewed),
    onMutate: async ({ alert, viewed }) => {
      await pauseAlertQueries();
      const step = alert.viewed === viewed ? 0 : viewed ? -1 : 1;
      const undo = changeAlerts(
        (one) => (one.id === alert.id ? { ...one, viewed } : one),
        (count) => count + step,
      );
      return { undo };
    },
    onError: (_error, _variables, context) => context?.undo(),
    // One that was being fetched meanwhile may have come from before the change.
    onSettled: (_reply, _error, { alert }) => invalidate(keys.unviewed, keys.alert(alert.id)),
  });
}

/** Of one camera, or of all. At once on the page; put back when the service refuses. */
export function useMarkAllViewed() {
  return useMutation({
    mutationFn: ({ streamId }: { streamId?: string | undefined }) =>
      api.markAllViewed({ viewed: true, ...(streamId !== undefined && { stream_id: streamId }) }),
    onMutate: async ({ streamId }) => {
      await pauseAlertQueries();
      const undo = changeAlerts(
        (one) => (streamId === undefined || one.stream_id === streamId ? { ...one, viewed: true } : one),
        (count) => (streamId === undefined ? 0 : count),
      );
      return { undo };
    },
    onError: (_error, _variables, context) => context?.undo(),
    onSettled: () => invalidate(keys.unviewed, [...keys.alerts, 'one']),
  });
}

/** The detections of the alert stay. */
export function useDeleteAlert() {
  return useMutation({
    mutationFn: (alert: t.Alert) => api.deleteAlert(alert.id),
    onSuccess: (_reply, alert) => {
      changeAlerts(
        (one) => (one.id === alert.id ? null : one),
        (count) => count - (alert.viewed ? 0 : 1),
      );
      void invalidate(keys.unviewed);
    },
  });
}

type DetectionPages = InfiniteData<t.DetectionsReply, string | undefined>;

/** An alert without any other goes with it. */
export function useDeleteDetection() {
  return useMutation({
    mutationFn: api.deleteDetection,
    onSuccess: (_reply, id) => {
      queryClient.setQueriesData<DetectionPages>({ queryKey: keys.galleries }, (data) => {
        const without = (page: t.DetectionsReply) => page.detections.filter((one) => one.id !== id);
        return data && { ...data, pages: data.pages.map((page) => ({ ...page, detections: without(page) })) };
      });
      return invalidate(keys.detections, keys.alerts);
    },
  });
}

// --- Users and tokens

export function useCreateUser() {
  return useMutation({ mutationFn: api.register, onSuccess: () => invalidate(keys.users) });
}

export function useChangeUser() {
  return useMutation({
    mutationFn: ({ id, ...change }: t.UserChange & { id: string }) => api.changeUser(id, change),
    onSuccess: () => invalidate(keys.users, keys.tokens),
  });
}

export function useDeleteUser() {
  return useMutation({ mutationFn: api.deleteUser, onSuccess: () => invalidate(keys.users, keys.tokens) });
}

export function useCreateToken() {
  return useMutation({ mutationFn: api.createToken, onSuccess: () => invalidate(keys.tokens) });
}

export function useDeleteToken() {
  return useMutation({ mutationFn: api.deleteToken, onSuccess: () => invalidate(keys.tokens) });
}
