// What the event socket told last of each camera's status: it is newer than a reply that was on its way meanwhile.
// The socket is in event-socket.ts; replies come through queries.ts and mutations.ts.

import type { EventMessage, Stream } from './types.ts';

export type StatusEvent = Extract<EventMessage, { type: 'status' }>;

const told = new Map<string, StatusEvent>();

export function noteStatus(event: StatusEvent): void {
  told.set(event.stream_id, event);
}

/** The socket is gone: from now on replies are newer. */
export function forgetStatuses(): void {
  told.clear();
}

/** The camera with the status that was told last; as it is when none was. */
export function asTold(stream: Stream): Stream {
  const event = told.get(stream.id);
  if (!event) return stream;
  const { status, message } = event;
  return { ...stream, status, last_error: status === 'online' ? null : (message ?? null) };
}
