// Random and bent requests over everything the OpenAPI document describes, sent to a running service.
// Fails on any answer of 5xx that is not a documented 503 with a code, and on none at all.

import { Agent, request as send } from 'node:http';
import { connect } from 'node:net';
import { bend, oddity, pick, type Random } from './fuzz-random.ts';
import type { FuzzOutcome, FuzzSetting } from './fuzz-setting.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
}

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly body: Schema | null;
  /** Documented statuses. */
  readonly statuses: ReadonlySet<string>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, RawOperation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

interface RawOperation {
  readonly parameters?: Operation['parameters'];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses?: Readonly<Record<string, unknown>>;
}

interface Request {
  readonly operation: Operation;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

const parallel = 32;
/** Pictures in motion never end by themselves. */
const patienceMs = 150;
const keptFailures = 10;
/** A number of ids is enough to meet what is there, and what was deleted. */
const keptPool = 300;
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'];
const strangeTargets = [
  '/',
  '//',
  '/api',
  '/api//streams///',
  '/media/../../etc/passwd',
  '/media/%2e%2e/%2e%2e/secret.key',
  '/media/..%5c..%5csecret.key',
  '/media/%00',
  '/healthz?x=%ff',
  '/api/streams/%E0%A4%A/',
  '/api/docs/../../../package.json',
  '/ws/stream/?url=rtsp%3A%2F%2Fx',
  '/%',
  `/${'a/'.repeat(800)}`,
];

export async function fuzzRest(setting: FuzzSetting, count: number): Promise<FuzzOutcome> {
  const { service, random } = setting;
  const document = await service.api<Document>('GET', '/api/openapi.json');
  const operations = readOperations(document);
  const maker = new RequestMaker(setting, operations, document.components?.schemas ?? {});
  const agent = new Agent({ keepAlive: true, maxSockets: parallel });
  const answers = new Map<string, number>();
  const failures: string[] = [];
  let left = count;
  const work = async () => {
    while (left > 0 && failures.length < keptFailures) {
      left -= 1;
      const request = maker.next();
      const answer =
        random(100) === 0
          ? await sendRaw(service.baseUrl, bend(random, asText(request)))
          : await sendRequest(agent, service.baseUrl, request);
      answers.set(answer.status, (answers.get(answer.status) ?? 0) + 1);
      maker.learn(answer.text);
      const wrong = whatIsWrong(request, answer);
      if (wrong !== null)
        failures.push(`${wrong}\n${asText(request).slice(0, 2000)}\n→ ${answer.text.slice(0, 500)}`);
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  agent.destroy();
  return { answers, failures };
}

function readOperations(document: Document): Operation[] {
  const found: Operation[] = [];
  for (const [path, methodsOfPath] of Object.entries(document.paths))
    for (const [method, { parameters = [], requestBody, responses = {} }] of Object.entries(methodsOfPath))
      found.push({
        method: method.toUpperCase(),
        path,
        parameters,
        body: requestBody?.content?.['application/json']?.schema ?? null,
        statuses: new Set(Object.keys(responses)),
      });
  if (found.length < 20) throw new Error(`The OpenAPI document describes ${found.length} operations only.`);
  return found;
}

class RequestMaker {
  readonly #setting: FuzzSetting;
  readonly #random: Random;
  readonly #operations: readonly Operation[];
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #ids: string[];

  constructor(
    setting: FuzzSetting,
    operations: readonly Operation[],
    schemas: Readonly<Record<string, Schema>>,
  ) {
    this.#setting = setting;
    this.#random = setting.random;
    this.#operations = operations;
    this.#schemas = schemas;
    this.#ids = ['0', '__proto__', 'constructor', '..', '%00', '01940000-0000-7000-8000-000000000000'];
  }

  /** Ids in answers are used in later requests, except those that the fuzzing itself stands on. */
  learn(text: string): void {
    for (const [id] of text.matchAll(/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}/g)) {
      if (this.#setting.keptIds.has(id) || this.#ids.includes(id)) continue;
      if (this.#ids.length < keptPool) this.#ids.push(id);
      else this.#ids[6 + this.#random(keptPool - 6)] = id;
    }
  }

  next(): Request {
    const random = this.#random;
    const operation = pick(random, this.#operations);
    const body = operation.body === null ? (random(10) === 0 ? '{}' : null) : this.#bodyText(operation.body);
    return {
      operation,
      method: random(20) === 0 ? pick(random, methods) : operation.method,
      target: this.#target(operation),
      headers: this.#headers(body !== null),
      body,
    };
  }

  #target({ path, parameters }: Operation): string {
    const random = this.#random;
    if (random(50) === 0) return pick(random, strangeTargets);
    let target = path.replace(/\{[^}]+\}/g, () => this.#id());
    const query = parameters
      .filter((parameter) => parameter.in === 'query' && random(3) === 0)
      .map(({ name, schema }) => `${name}=${encode(this.#value(schema, 0))}`);
    if (random(30) === 0)
      query.push(
        pick(random, ['__proto__[x]=1', 'constructor=1', 'limit=1&limit=2', '&&&==', 'cursor=AAAA']),
      );
    if (random(4) === 0) target += '/';
    if (query.length > 0) target += `?${query.join('&')}`;
    // What may not stand in a request line at all is sent raw, see sendRaw.
    return random(30) === 0 ? `/${bend(random, target).replace(/[^\x21-\x7e]/g, '%ff')}` : target;
  }

  #id(): string {
    const random = this.#random;
    if (random(20) === 0) return encode(oddity(random)) || 'x';
    const id = pick(random, this.#ids);
    return random(20) === 0 ? encode(bend(random, id)) || 'x' : encode(id);
  }

  #headers(hasBody: boolean): Record<string, string> {
    const random = this.#random;
    const headers: Record<string, string> = { ...pick(random, this.#setting.identities) };
    if (hasBody)
      headers['content-type'] =
        random(20) > 0
          ? 'application/json'
          : pick(random, [
              'text/plain',
              'application/xml',
              'application/json; charset=utf-16',
              'multipart/form-data',
              '',
            ]);
    if (random(15) === 0)
      headers.origin = pick(random, [this.#setting.service.baseUrl, 'http://evil.example', 'null', 'x']);
    if (random(40) === 0)
      headers.host = pick(random, ['evil.example', '', '127.0.0.1:1', '[::1]', 'localhost.']);
    if (random(40) === 0)
      headers[
        pick(random, [
          'x-forwarded-for',
          'x-forwarded-host',
          'if-none-match',
          'range',
          'accept',
          'cookie',
          'x-http-method-override',
        ])
      ] = bend(random, 'bytes=0-1, *').replace(/[^\x20-\x7e]/g, '?');
    if (random(200) === 0) headers['x-long'] = 'a'.repeat(20_000);
    return headers;
  }

  #bodyText(schema: Schema): string {
    const random = this.#random;
    const value = random(20) === 0 ? oddity(random) : this.#value(schema, 0);
    if (random(500) === 0) return '['.repeat(20_000);
    if (random(500) === 0) return JSON.stringify({ name: 'a'.repeat(2_000_000) });
    const text = JSON.stringify(value) ?? '';
    return random(10) === 0 ? bend(random, text) : text;
  }

  /** Mostly what the schema asks for, and something else now and then at every depth. */
  #value(schema: Schema, depth: number): unknown {
    const random = this.#random;
    if (random(12) === 0 || depth > 6) return oddity(random);
    if (schema.$ref !== undefined)
      return this.#value(this.#schemas[schema.$ref.split('/').at(-1)!] ?? {}, depth + 1);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum) return pick(random, schema.enum);
    const choice = schema.anyOf ?? schema.oneOf;
    if (choice) return this.#value(pick(random, choice), depth + 1);
    const type = typeof schema.type === 'object' ? pick(random, schema.type) : schema.type;
    switch (type) {
      case 'object':
        return this.#object(schema, depth);
      case 'array':
        return Array.from({ length: random(4) }, () => this.#value(schema.items ?? {}, depth + 1));
      case 'boolean':
        return random(2) === 0;
      case 'number':
      case 'integer': {
        const { minimum = 0, maximum = 100 } = schema;
        const value = minimum + (random(1001) / 1000) * (maximum - minimum);
        return type === 'integer' ? Math.round(value) : value;
      }
      case 'null':
        return null;
      default:
        return this.#text();
    }
  }

  #object({ properties = {}, required = [] }: Schema, depth: number): Record<string, unknown> {
    const random = this.#random;
    const made: Record<string, unknown> = {};
    for (const [name, schema] of Object.entries(properties))
      if ((required.includes(name) && random(15) > 0) || random(2) === 0)
        made[name] = this.#member(name, schema, depth);
    if (random(20) === 0)
      made[pick(random, ['constructor', 'toString', 'id', 'role', 'admin', ''])] = oddity(random);
    return made;
  }

  #member(name: string, schema: Schema, depth: number): unknown {
    const random = this.#random;
    const { cameraUrl, streamId } = this.#setting;
    if (name.endsWith('_url') && random(3) > 0)
      return random(4) > 0
        ? pick(random, [cameraUrl, 'rtsp://127.0.0.1:9/x', 'rtsp://u:p@127.0.0.1:9/'])
        : bend(random, cameraUrl);
    if (name === 'stream_id' && random(3) > 0) return streamId;
    if (name === 'image' && random(2) > 0) return random(2) ? tinyJpeg : bend(random, tinyJpeg);
    return this.#value(schema, depth + 1);
  }

  #text(): string {
    const random = this.#random;
    switch (random(4)) {
      case 0:
        return pick(random, this.#ids);
      case 1:
        return `name-${random(50)}`;
      case 2:
        return new Date(random(2 ** 31) * 1000).toISOString();
      default:
        return bend(random, 'Some text of people');
    }
  }
}

/** An image of 8×8 pixels that browsers show. */
const tinyJpeg =
  '/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAxNDQ0Hyc5PTgyPC4zNDL/wAALCAAIAAgBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAACf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AVN//2Q==';

function encode(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
  return encodeURIComponent(text.toWellFormed());
}

function asText({ method, target, headers, body }: Request): string {
  const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  const length = body === null ? '' : `content-length: ${Buffer.byteLength(body)}\r\n`;
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}${length}\r\n${body ?? ''}`;
}

interface Answer {
  /** The status; `none` when the connection ended before one, `cut` when we had enough. */
  readonly status: string;
  readonly text: string;
}

function sendRequest(
  agent: Agent,
  baseUrl: string,
  { method, target, headers, body }: Request,
): Promise<Answer> {
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve) => {
    const sent = send({ agent, hostname, port, method, path: target, headers });
    let text = '';
    let status = 'none';
    const done = () => resolve({ status, text });
    sent.on('response', (response) => {
      status = String(response.statusCode);
      const enough = setTimeout(() => response.destroy(), patienceMs);
      response.setEncoding('latin1').on('data', (part: string) => {
        if (text.length < 100_000) text += part;
      });
      response.on('error', done).on('close', () => {
        clearTimeout(enough);
        done();
      });
    });
    sent.on('upgrade', (_response, socket) => {
      status = 'upgraded';
      socket.destroy();
      done();
    });
    // A refused body may be cut off while it is sent; an answer that was never given shows in `none`.
    sent.on('error', done);
    sent.end(body ?? undefined);
  });
}

/** As it stands, which no HTTP client would send. */
function sendRaw(baseUrl: string, text: string): Promise<Answer> {
  const { hostname, port } = new URL(baseUrl);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let reply = '';
    const done = () => {
      socket.destroy();
      resolve({ status: `raw ${/^HTTP\/1\.1 (\d+)/.exec(reply)?.[1] ?? 'none'}`, text: reply });
    };
    socket.setTimeout(patienceMs, done);
    socket.setEncoding('latin1').on('data', (part: string) => {
      if (reply.length < 100_000) reply += part;
    });
    socket.on('error', done).on('end', done);
    socket.write(Buffer.from(text, 'utf8'));
  });
}

function whatIsWrong({ operation }: Request, { status, text }: Answer): string | null {
  const code = Number(status.replace('raw ', ''));
  if (!(code >= 500)) return null;
  // 503 with a code of its own is a promise of the document; 501 is what Node itself says to methods it does not know.
  if (
    code === 503 &&
    ['503', '5XX', 'default'].some((status) => operation.statuses.has(status)) &&
    /"code":"(?!internal)/.test(text)
  )
    return null;
  return `an answer of ${status}`;
}
