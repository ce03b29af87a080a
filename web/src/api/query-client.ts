// The cache of everything the service has told, and the names things have in it.
// What is asked is in queries.ts, what is changed in mutations.ts.

import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { ApiError, isSignedOut } from './errors.ts';
import type { AlertFilter, AuditFilter, DetectionFilter, Me } from './types.ts';

/** A longer key lies below its beginning: `invalidate(keys.alerts)` concerns every list of alerts. */
export const keys = {
  session: ['session'],
  readiness: ['readiness'],
  streams: ['streams'],
  stream: (id: string) => ['streams', id],
  stats: (id: string) => ['stats', id],
  performance: ['performance'],
  streamPerformance: (id: string) => ['performance', id],
  alerts: ['alerts'],
  alertLists: ['alerts', 'list'],
  alertList: (filter: AlertFilter) => ['alerts', 'list', filter],
  alert: (id: string) => ['alerts', 'one', id],
  unviewed: ['alerts', 'unviewed'],
  detections: ['detections'],
  detectionList: (filter: DetectionFilter) => ['detections', 'list', filter],
  detection: (id: string) => ['detections', 'one', id],
  /** Not below `detections`: a gallery stays as it is while it is looked at. */
  galleries: ['gallery'],
  gallery: (filter: DetectionFilter) => ['gallery', filter],
  users: ['users'],
  tokens: ['tokens'],
  audit: ['audit'],
  auditList: (filter: AuditFilter) => ['audit', filter],
} as const;

/** `ended`: it was there a moment ago, and nobody here has signed out. */
export type Session =
  | { readonly state: 'signed_in'; readonly me: Me }
  | { readonly state: 'signed_out'; readonly ended: boolean }
  | { readonly state: 'setup_required' };

/** A refusal stays one; a service that does not answer is asked again. */
function worthRetrying(failures: number, error: unknown): boolean {
  const passing = error instanceof ApiError && (error.status === 0 || error.status >= 502);
  return passing && failures < 2;
}

function onError(error: unknown): void {
  if (!isSignedOut(error)) return;
  const before = queryClient.getQueryData<Session>(keys.session);
  if (error.code === 'setup_required') endSession({ state: 'setup_required' });
  else if (before?.state !== 'signed_out')
    endSession({ state: 'signed_out', ended: before?.state === 'signed_in' });
}

export const queryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    // Events keep streams and alerts fresh; the rest is asked again when it is looked at again.
    queries: { staleTime: 15_000, gcTime: 5 * 60_000, retry: worthRetrying, networkMode: 'always' },
    mutations: { retry: false, networkMode: 'always' },
  },
});

/** Nobody is signed in any more: what was shown to somebody is forgotten. */
export function endSession(next: Exclude<Session, { state: 'signed_in' }>): void {
  queryClient.setQueryData<Session>(keys.session, next);
  forgetAll();
}

/** Everything but the session itself. */
export function forgetAll(): void {
  const isOther = ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey[0] !== keys.session[0];
  void queryClient.cancelQueries({ predicate: isOther });
  queryClient.removeQueries({ predicate: isOther });
}
