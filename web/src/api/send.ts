// One request by fetch: address, body, reply, and every refusal as an ApiError.
// Which requests there are is in client.ts.

import { text } from '../text.ts';
import type { Request } from './client.ts';
import { ApiError, type Issue } from './errors.ts';

/** With the slash at the end that the service's documents use, each parameter encoded, undefined members left out. */
export function addressOf({ path, params = {}, query = {} }: Request): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  return `${filled}/${search.size > 0 ? `?${search}` : ''}`;
}

interface Refusal {
  readonly error?: unknown;
  readonly code?: unknown;
  readonly issues?: unknown;
}

/** In seconds, as the service says it; a date, which a proxy may say, is not understood. RFC 9110 section 10.2.3. */
function retryAtOf({ headers }: Response): number | null {
  const value = headers.get('retry-after');
  return value !== null && /^\d+$/.test(value) ? Date.now() + Number(value) * 1000 : null;
}

/** What a proxy in between says is no JSON of ours. */
async function refusalOf(response: Response): Promise<ApiError> {
  const reply: Refusal = await response.json().catch(() => ({}));
  const { error, code, issues } = reply ?? {};
  return new ApiError(
    response.status,
    typeof code === 'string' ? code : 'unknown',
    typeof error === 'string' ? error : text.errors.status(response.status),
    Array.isArray(issues) ? (issues as Issue[]) : [],
    retryAtOf(response),
  );
}

/** The longest answer, that of trying a camera, takes 20 s: after this the line is dead, whatever TCP believes. */
const longestMs = 30_000;

/** @param patienceMs up to the last byte of the answer. */
export async function send<Reply>(request: Request, patienceMs = longestMs): Promise<Reply> {
  const { method, body, signal } = request;
  const late = AbortSignal.timeout(patienceMs);
  try {
    const response = await fetch(addressOf(request), {
      method,
      credentials: 'same-origin',
      cache: 'no-store',
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      signal: signal ? AbortSignal.any([signal, late]) : late,
    });
    if (!response.ok) throw await refusalOf(response);
    return response.status === 204 ? (undefined as Reply) : await response.json();
  } catch (error) {
    if (signal?.aborted || error instanceof ApiError || error instanceof SyntaxError) throw error;
    throw new ApiError(0, 'unreachable', text.errors.unreachable);
  }
}
