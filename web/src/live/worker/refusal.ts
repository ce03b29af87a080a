// Why the service refused a WebSocket: browsers do not tell a page, so the same is asked over plain HTTP.
// Asks and reads the answer; what follows from it is link.ts's.

import type { Source } from '../messages.ts';

export type Refusal =
  | {
      readonly final: true;
      readonly why: 'signed_out' | 'forbidden' | 'deleted';
      readonly words: string | null;
    }
  | { readonly final: false; readonly why: 'unreachable' | 'blocked'; readonly words: null };

const patienceMs = 5_000;

export function headersOf({ token }: Source): HeadersInit {
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** The service's sentence in the body of an error; null when there is none. */
export async function wordsOf(response: Response): Promise<string | null> {
  try {
    const { error } = await response.json();
    return typeof error === 'string' ? error : null;
  } catch (error) {
    // A proxy's page, or a line that broke: its status has said enough.
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof DOMException)
      return null;
    throw error;
  }
}

/** What a status of the REST API means for watching; null when it forbids nothing. */
export function meaningOf(status: number): 'signed_out' | 'forbidden' | 'deleted' | null {
  if (status === 401) return 'signed_out';
  if (status === 403) return 'forbidden';
  return status === 404 ? 'deleted' : null;
}

export async function whyRefused(source: Source): Promise<Refusal> {
  let response: Response;
  try {
    response = await fetch(source.probeUrl, {
      headers: headersOf(source),
      credentials: 'include',
      cache: 'no-store',
      signal: AbortSignal.timeout(patienceMs),
    });
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof DOMException)) throw error;
    return { final: false, why: 'unreachable', words: null };
  }
  const why = meaningOf(response.status);
  if (why) return { final: true, why, words: await wordsOf(response) };
  // It answers and lets nobody watch: a proxy without WebSockets, or a service that is just starting.
  return { final: false, why: response.ok ? 'blocked' : 'unreachable', words: null };
}
