// The REST API as the page uses it. Sentences of the server are passed on; no state, no DOM.

/**
 * @typedef {object} Stream
 * @property {string} id
 * @property {string} name
 * @property {string} [rtsp_url] password shown as ****
 * @property {'offline' | 'connecting' | 'online' | 'reconnecting' | 'error'} status
 * @property {string | null} last_error
 * @property {{codec: string, width: number, height: number, fps: number | null} | null} video
 * @property {number} viewers
 */

/**
 * @typedef {object} Alert
 * @property {string} id
 * @property {string} detection_id the first of its detections
 * @property {number} detections_count
 * @property {string} stream_id
 * @property {string} stream its name
 * @property {number} confidence_score 0–1
 * @property {string | null} image_url
 * @property {string | null} thumbnail_url
 * @property {string} timestamp ISO 8601
 * @property {boolean} viewed
 */

/**
 * @typedef {object} Detection
 * @property {string} timestamp ISO 8601
 * @property {{x: number, y: number, width: number, height: number} | null} box fractions of the picture
 * @property {number} confidence_score 0–1
 * @property {string | null} image_url
 */

/** A refusal or failure, with a sentence for people. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {{path: string, message: string}[]} [issues] members of the request that are wrong
   * @param {{status?: number, code?: string, retryAfter?: number}} [reply] its status, 0 when there was none; its code;
   *   seconds to wait before another try, 0 for none
   * @param {ErrorOptions} [options]
   */
  constructor(message, issues = [], { status = 0, code = '', retryAfter = 0 } = {}, options) {
    super(message, options);
    this.issues = issues;
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

const unreachable = 'The server does not answer.';

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @returns {Promise<any>} the reply; undefined when there is none
 */
async function call(method, path, body) {
  /** @type {RequestInit} */
  const request = { method, signal: AbortSignal.timeout(10_000), cache: 'no-store' };
  if (body)
    Object.assign(request, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
  let response;
  let text;
  try {
    response = await fetch(path, request);
    text = await response.text();
  } catch (cause) {
    throw new ApiError(unreachable, [], {}, { cause });
  }
  const isJson = response.headers.get('content-type')?.includes('json');
  const reply = isJson && text !== '' ? JSON.parse(text) : undefined;
  if (response.ok) return reply;
  const { status } = response;
  const code = reply?.code ?? '';
  if (status === 401 && !ownRefusals.test(path)) signedOut();
  const sentence = reply?.error ?? reply?.detail ?? `The server answered with status ${status}.`;
  const retryAfter = status === 429 ? Number(response.headers.get('retry-after')) || 0 : 0;
  const after = retryAfter && !/\d s\b|\d seconds?\b/.test(sentence) ? ` Try again in ${retryAfter} s.` : '';
  throw new ApiError(sentence + after, reply?.issues, { status, code, retryAfter });
}

/** Where a 401 answers what was asked, and says nothing new about who is signed in. */
const ownRefusals = /^\/api\/(me|login|register|logout)\//;

/** Called when the server no longer knows who this is; a socket that was closed for it calls it too. */
let signedOut = () => {};

/** @param {() => void} listener */
export function onSignedOut(listener) {
  signedOut = listener;
}

/** The code with which the server closes a socket when its sign-in ends. */
const signInEnded = 4401;

/** @param {number} code of a closed socket @returns {boolean} whether it was closed because its sign-in ended */
export function endsSignIn(code) {
  if (code === signInEnded) signedOut();
  return code === signInEnded;
}

/**
 * @typedef {object} Me
 * @property {string} name
 * @property {'viewer' | 'operator' | 'admin'} role
 * @property {boolean} canSignOut false while sign-in is switched off
 */

/** @returns {Promise<Me>} @throws ApiError 401 with `not_signed_in` or `setup_required` */
export async function whoAmI() {
  const { name, role, auth } = await call('GET', '/api/me/');
  return { name, role, canSignOut: auth === 'required' };
}

/** Both are answered with a session cookie. @param {{username: string, password: string}} account */
export const login = (account) => call('POST', '/api/login/', account);

/** @param {{username: string, password: string, setup_token: string | undefined}} account */
export const register = (account) => call('POST', '/api/register/', account);

export const logout = () => call('POST', '/api/logout/', {});

const streamPath = (/** @type {string} */ id) => `/api/streams/${encodeURIComponent(id)}/`;

/** All of them, page by page. @returns {Promise<Stream[]>} */
export async function listStreams() {
  const streams = [];
  let cursor = '';
  do {
    const reply = await call(
      'GET',
      `/api/streams/?limit=500${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    streams.push(...reply.streams);
    cursor = reply.next_cursor ?? '';
  } while (cursor);
  return streams;
}

/**
 * @param {{name: string, rtsp_url: string}} members
 * @returns {Promise<Stream>}
 */
export const createStream = (members) => call('POST', '/api/streams/', members);

/**
 * @param {string} id
 * @param {{name?: string, rtsp_url?: string}} members
 * @returns {Promise<void>}
 */
export const changeStream = (id, members) => call('PATCH', streamPath(id), members);

/**
 * @param {string} id
 * @param {'start' | 'stop'} action
 * @returns {Promise<void>}
 */
export const switchStream = (id, action) => call('PATCH', `${streamPath(id)}status/`, { action });

/**
 * @param {string} id
 * @returns {Promise<void>}
 */
export const deleteStream = (id) => call('DELETE', streamPath(id));

/**
 * The newest alerts, newest first.
 * @param {number} limit
 * @returns {Promise<{alerts: Alert[], unviewed: number}>}
 */
export const listAlerts = (limit) => call('GET', `/api/alerts/?limit=${limit}`);

/**
 * @param {string} id
 * @returns {Promise<void>}
 */
export const markViewed = (id) => call('PATCH', `/api/alerts/${encodeURIComponent(id)}/`, { viewed: true });

/** @returns {Promise<void>} */
export const markAllViewed = () => call('PATCH', '/api/alerts/', { viewed: true });

/**
 * @param {string} id
 * @returns {Promise<Detection>}
 */
export const getDetection = async (id) =>
  (await call('GET', `/api/detections/${encodeURIComponent(id)}/`)).detection;

/** Address of a WebSocket of this server. @param {string} path */
export function liveAddress(path) {
  const url = new URL(path, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** Address of a stream's live WebSocket. @param {string} id */
export const liveUrl = (id) => liveAddress(`/ws/stream/?stream_id=${encodeURIComponent(id)}`);
