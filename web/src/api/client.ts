// Every request of the page, one function each. Checked against the service's OpenAPI document by client.test.ts.
// No caching and no retries: that is TanStack Query's part, in queries.ts and mutations.ts.

import { send as sendByFetch } from './send.ts';
import type * as t from './types.ts';

type Signal = AbortSignal | undefined;

export interface Request {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** As in the OpenAPI document: `/api/streams/{id}`. */
  readonly path: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: object | undefined;
  readonly body?: object;
  readonly signal?: Signal;
}

/** @throws ApiError for every refusal, and when the service does not answer; AbortError when `signal` is aborted. */
export type Send = <Reply>(request: Request) => Promise<Reply>;

const all = { limit: 500 };

/** @param send carries the requests; by default `fetch` to the page's own service, signed in by cookie. */
export function makeApi(send: Send = sendByFetch) {
  const get = <Reply>(path: string, signal: Signal, query?: object) =>
    send<Reply>({ method: 'GET', path, signal, query });
  const getOne = <Reply>(path: string, id: string, signal: Signal) =>
    send<Reply>({ method: 'GET', path, params: { id }, signal });
  const post = <Reply>(path: string, body: object) => send<Reply>({ method: 'POST', path, body });
  const patch = <Reply>(path: string, body: object) => send<Reply>({ method: 'PATCH', path, body });
  const patchOne = <Reply>(path: string, id: string, body: object) =>
    send<Reply>({ method: 'PATCH', path, params: { id }, body });
  const remove = (path: string, id: string) => send<void>({ method: 'DELETE', path, params: { id } });

  return {
    /** Parts that are not well while the rest goes on; refused with `not_ready` when the service itself is not. */
    readiness: (signal?: Signal) => get<{ readonly degraded: readonly string[] }>('/readyz', signal),
    me: (signal?: Signal) => get<t.Me>('/api/me', signal),
    signIn: (body: t.SignIn) => post<t.SignedInReply>('/api/login', body),
    signOut: () => send<t.MessageReply>({ method: 'POST', path: '/api/logout' }),
    register: (body: t.NewUser) => post<t.RegisteredReply>('/api/register', body),
    changeOwnPassword: (body: t.OwnPassword) => patch<t.MessageReply>('/api/me', body),

    /** All of them: a service has at most some hundred. */
    streams: (signal?: Signal) => get<t.StreamsReply>('/api/streams', signal, all),
    stream: (id: string, signal?: Signal) => getOne<t.StreamReply>('/api/streams/{id}', id, signal),
    streamStats: (id: string, signal?: Signal) =>
      getOne<t.StreamStats>('/api/streams/{id}/stats', id, signal),
    createStream: (body: t.NewStream) => post<t.CreatedStreamReply>('/api/streams', body),
    changeStream: (id: string, body: t.StreamChange) =>
      patchOne<t.StreamReply>('/api/streams/{id}', id, body),
    setStreamStatus: (id: string, action: t.StreamAction) =>
      patchOne<t.StreamStatusReply>('/api/streams/{id}/status', id, { action }),
    deleteStream: (id: string) => remove('/api/streams/{id}', id),

    /** Connects once, at most about 10 s; `ok: false` and the reason when there is no picture. */
    checkCamera: (body: t.CameraCheckRequest, signal?: Signal) =>
      send<t.CameraCheck>({ method: 'POST', path: '/api/streams/check', body, signal }),
    /** @param since `end` of the reply before: only what came after it. */
    streamPerformance: (id: string, since?: string, signal?: Signal) =>
      send<t.CameraPerformance>({
        method: 'GET',
        path: '/api/streams/{id}/performance',
        params: { id },
        query: { since },
        signal,
      }),
    performance: (since?: string, signal?: Signal) =>
      get<t.ServicePerformance>('/api/performance', signal, { since }),

    alerts: (query: t.AlertFilter & t.Page, signal?: Signal) =>
      get<t.AlertsReply>('/api/alerts', signal, query),
    alert: (id: string, signal?: Signal) => getOne<t.AlertReply>('/api/alerts/{id}', id, signal),
    setViewed: (id: string, viewed: boolean) =>
      patchOne<t.AlertChangedReply>('/api/alerts/{id}', id, { viewed }),
    markAllViewed: (body: t.AlertsChange) => patch<t.AlertsChangedReply>('/api/alerts', body),
    deleteAlert: (id: string) => remove('/api/alerts/{id}', id),

    detections: (query: t.DetectionFilter & t.Page, signal?: Signal) =>
      get<t.DetectionsReply>('/api/detections', signal, query),
    detection: (id: string, signal?: Signal) => getOne<t.DetectionReply>('/api/detections/{id}', id, signal),
    deleteDetection: (id: string) => remove('/api/detections/{id}', id),

    users: (query: t.Page, signal?: Signal) => get<t.UsersReply>('/api/users', signal, query),
    changeUser: (id: string, body: t.UserChange) => patchOne<t.UserReply>('/api/users/{id}', id, body),
    deleteUser: (id: string) => remove('/api/users/{id}', id),
    tokens: (query: t.Page, signal?: Signal) => get<t.TokensReply>('/api/tokens', signal, query),
    createToken: (body: t.NewToken) => post<t.NewTokenReply>('/api/tokens', body),
    deleteToken: (id: string) => remove('/api/tokens/{id}', id),
    audit: (query: t.AuditFilter & t.Page, signal?: Signal) => get<t.AuditReply>('/api/audit', signal, query),
  };
}

export type Api = ReturnType<typeof makeApi>;

export const api: Api = makeApi();
