// The requests of the page against what the real service says of itself in its OpenAPI document.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startServer, type TestServer } from '../../../test/support/http-server.ts';
import { type Api, makeApi, type Request } from './client.ts';

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: Schema }> };
}

interface Schema {
  readonly $ref?: string;
  readonly properties?: Record<string, unknown>;
  readonly required?: readonly string[];
}

interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}

let server: TestServer;
let document: Document;

beforeAll(async () => {
  server = await startServer({});
  document = await (await fetch(`${server.base}/api/openapi.json`)).json();
});

afterAll(() => server[Symbol.asyncDispose]());

const page = { limit: 10, cursor: 'c' };
const range = { since: '2026-01-01T00:00:00Z', until: '2026-01-02T00:00:00Z' };
const user = { username: 'a', password: 'b' };

/** Every function of the client, with every member it may send; one that is missing here does not compile. */
const calls: { readonly [Name in keyof Api]: (api: Api) => Promise<unknown> } = {
  readiness: (api) => api.readiness(),
  me: (api) => api.me(),
  signIn: (api) => api.signIn(user),
  signOut: (api) => api.signOut(),
  register: (api) => api.register({ ...user, email: 'a@b.example', role: 'viewer', setup_token: 't' }),
  changeOwnPassword: (api) => api.changeOwnPassword({ current_password: 'a', password: 'b' }),
  streams: (api) => api.streams(),
  stream: (api) => api.stream('x'),
  streamStats: (api) => api.streamStats('x'),
  createStream: (api) =>
    api.createStream({
      name: 'Door',
      rtsp_url: 'rtsp://camera.local/',
      description: '',
      detection_enabled: true,
      confidence_threshold: 0.8,
      detection_url: null,
    }),
  changeStream: (api) => api.changeStream('x', { name: 'Door', confidence_threshold: 0.5 }),
  setStreamStatus: (api) => api.setStreamStatus('x', 'start'),
  deleteStream: (api) => api.deleteStream('x'),
  checkCamera: (api) => api.checkCamera({ rtsp_url: 'rtsp://camera.local/', stream_id: 's' }),
  streamPerformance: (api) => api.streamPerformance('x', range.since),
  performance: (api) => api.performance(range.since),
  alerts: (api) => api.alerts({ ...page, ...range, stream_id: 's', viewed: false }),
  alert: (api) => api.alert('x'),
  setViewed: (api) => api.setViewed('x', true),
  markAllViewed: (api) => api.markAllViewed({ viewed: true, stream_id: 's' }),
  deleteAlert: (api) => api.deleteAlert('x'),
  detections: (api) =>
    api.detections({ ...page, ...range, stream_id: 's', alert_id: 'a', min_confidence: 0.5 }),
  detection: (api) => api.detection('x'),
  deleteDetection: (api) => api.deleteDetection('x'),
  users: (api) => api.users(page),
  changeUser: (api) => api.changeUser('x', { role: 'viewer', email: null, password: 'b' }),
  deleteUser: (api) => api.deleteUser('x'),
  tokens: (api) => api.tokens(page),
  createToken: (api) => api.createToken({ name: 'Backup', role: 'viewer', expires_at: null }),
  deleteToken: (api) => api.deleteToken('x'),
  audit: (api) => api.audit({ ...page, ...range, action: 'signed_in', actor: 'a' }),
};

/** What the function would send. */
async function requestOf(name: keyof Api): Promise<Request> {
  const sent: Request[] = [];
  const api = makeApi(async <Reply>(request: Request) => {
    sent.push(request);
    return undefined as Reply;
  });
  await calls[name](api);
  expect(sent).toHaveLength(1);
  return sent[0] as Request;
}

function bodySchema(operation: Operation): Schema | undefined {
  const schema = operation.requestBody?.content['application/json']?.schema;
  const name = schema?.$ref?.split('/').at(-1);
  return name === undefined ? schema : document.components.schemas[name];
}

describe('each request of the page is one the service describes', () => {
  test.each(Object.keys(calls) as (keyof Api)[])('%s', async (name) => {
    const { method, path, params = {}, query = {}, body } = await requestOf(name);
    const operation = document.paths[path]?.[method.toLowerCase()];
    if (!operation) throw new Error(`${method} ${path} is not in the OpenAPI document.`);

    const named = (place: string) =>
      (operation.parameters ?? []).filter((parameter) => parameter.in === place).map((one) => one.name);
    expect(Object.keys(params).sort()).toEqual(named('path').sort());
    expect(named('query')).toEqual(expect.arrayContaining(Object.keys(query)));

    const schema = bodySchema(operation);
    expect(body === undefined).toBe(schema === undefined);
    if (body === undefined || schema === undefined) return;
    expect(Object.keys(schema.properties ?? {})).toEqual(expect.arrayContaining(Object.keys(body)));
    expect(Object.keys(body)).toEqual(expect.arrayContaining([...(schema.required ?? [])]));
  });
});
