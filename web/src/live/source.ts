// The addresses of a camera at the service: its WebSocket, its snapshot, and where to ask why a socket was refused.

import type { Source } from './messages.ts';

export interface SourceOptions {
  /** Of a saved camera. */
  readonly streamId?: string;
  /** An RTSP address, for operators and admins; or a whole `ws_url` as the API gives it. */
  readonly url?: string;
  /** An API token or access token, for pages of other origins; by default the session's cookie signs in. */
  readonly token?: string;
  /** As in `https://cameras.example.org`; default the origin of the page. */
  readonly service?: string;
}

/** @throws TypeError when neither `streamId` nor `url` names a camera. */
export function sourceOf({ streamId, url, token, service = location.origin }: SourceOptions): Source {
  if (streamId === undefined && url === undefined) throw new TypeError('Name the camera by streamId or url.');
  const isSocket = url !== undefined && /^wss?:/.test(url);
  const socket = isSocket ? new URL(url) : new URL('/ws/stream/', service);
  if (socket.protocol === 'https:') socket.protocol = 'wss:';
  else if (socket.protocol === 'http:') socket.protocol = 'ws:';
  if (streamId !== undefined) socket.searchParams.set('stream_id', streamId);
  else if (!isSocket && url !== undefined) socket.searchParams.set('url', url);
  if (token !== undefined) socket.searchParams.set('token', token);
  const http = new URL(socket.origin.replace(/^ws/, 'http'));
  const id = socket.searchParams.get('stream_id');
  const path = id === null ? null : `/api/streams/${encodeURIComponent(id)}/`;
  return {
    socketUrl: socket.href,
    snapshotUrl: path && new URL(`${path}snapshot.jpg`, http).href,
    probeUrl: new URL(path ?? '/api/me/', http).href,
    token: token ?? null,
  };
}
