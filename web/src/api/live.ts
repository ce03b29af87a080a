// What the event socket tells, carried into the cache, so that status and alerts change without asking; and to whoever listens.
// The socket itself is in event-socket.ts.

import { useEffect, useSyncExternalStore } from 'react';
import { fetchNewAlerts } from './alert-news.ts';
import { type Connection, EventSocket } from './event-socket.ts';
import { keys, queryClient } from './query-client.ts';
import { asTold, forgetStatuses, noteStatus, type StatusEvent } from './told-status.ts';
import type { FaceAlertMessage, Stream } from './types.ts';

/** A storm of alerts makes one request in so many ms. */
const alertPauseMs = 1_000;

let connection: Connection = { state: 'connecting' };
let socket: EventSocket | null = null;
let alertTimer: ReturnType<typeof setTimeout> | undefined;
const connectionListeners = new Set<() => void>();
const alertListeners = new Set<(alert: FaceAlertMessage) => void>();
const detectorStates = new Map<string, NonNullable<StatusEvent['detection']>>();
const detectorListeners = new Set<() => void>();

const invalidate = (queryKey: readonly unknown[]) => void queryClient.invalidateQueries({ queryKey });

function onStatus(event: StatusEvent): void {
  const { stream_id: id, detection } = event;
  noteStatus(event);
  if (detection) {
    detectorStates.set(id, detection);
    for (const listener of detectorListeners) listener();
  }
  const list = queryClient.getQueryData<Stream[]>(keys.streams);
  const known = list?.find((stream) => stream.id === id);
  // Somebody has added a camera; or one came online, and its size and codec are known only now.
  if (list && (!known || (event.status === 'online' && known.status !== 'online'))) invalidate(keys.streams);
  queryClient.setQueryData<Stream[]>(keys.streams, (streams) =>
    streams?.map((stream) => (stream.id === id ? asTold(stream) : stream)),
  );
  queryClient.setQueryData<Stream>(keys.stream(id), (stream) => stream && asTold(stream));
}

function onAlert(alert: FaceAlertMessage): void {
  for (const listener of alertListeners) listener(alert);
  queryClient.setQueryData<number>(keys.unviewed, (count) => (count !== undefined ? count + 1 : count));
  alertTimer ??= setTimeout(() => {
    alertTimer = undefined;
    // What cannot be had now is asked for with the next alert, or when the connection is back.
    void fetchNewAlerts().catch(() => invalidate(keys.alerts));
    invalidate(keys.detections);
  }, alertPauseMs);
}

function setConnection(next: Connection): void {
  connection = next;
  for (const listener of connectionListeners) listener();
}

function open(): EventSocket {
  const url = new URL('/ws/events/', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return new EventSocket(url.href, {
    onMessage: (message) => {
      if (message.type === 'status') onStatus(message);
      else if (message.type === 'face_alert') onAlert(message);
    },
    onBack: () => {
      invalidate(keys.streams);
      invalidate(keys.alerts);
      invalidate(keys.detections);
    },
    onRefused: () => invalidate(keys.session),
    onConnection: (next) => {
      if (next.state !== 'open') forgetStatuses();
      setConnection(next);
    },
  });
}

/** Once, in the shell: keeps the socket while somebody is signed in. @param keepHidden also while the page is hidden. */
export function useLiveEvents(keepHidden: boolean): void {
  useEffect(() => {
    socket = open();
    return () => {
      socket?.close();
      socket = null;
      clearTimeout(alertTimer);
      alertTimer = undefined;
      detectorStates.clear();
      forgetStatuses();
      connection = { state: 'connecting' };
    };
  }, []);
  useEffect(() => {
    if (socket) socket.keepHidden = keepHidden;
  }, [keepHidden]);
}

function subscribeConnection(listener: () => void): () => void {
  connectionListeners.add(listener);
  return () => connectionListeners.delete(listener);
}

/** Whether the page hears from the service. */
export function useConnection(): Connection {
  return useSyncExternalStore(subscribeConnection, () => connection);
}

export function retryConnection(): void {
  socket?.retryNow();
}

/** Calls `listener` for each alert raised while the component is there. */
export function useFaceAlerts(listener: (alert: FaceAlertMessage) => void): void {
  useEffect(() => {
    alertListeners.add(listener);
    return () => {
      alertListeners.delete(listener);
    };
  }, [listener]);
}

function subscribeDetector(listener: () => void): () => void {
  detectorListeners.add(listener);
  return () => detectorListeners.delete(listener);
}

/** Whether faces are looked for at a camera, and why not; undefined until it is told. */
export function useDetectorState(streamId: string): StatusEvent['detection'] {
  return useSyncExternalStore(subscribeDetector, () => detectorStates.get(streamId));
}
