// The description of the REST API: /api/openapi.json, and a page at /api/docs/ that shows it to people.
// The description comes from the routes' schemas; the page is self-contained, it loads nothing from elsewhere.

import { readFile } from 'node:fs/promises';
import swagger, { type SwaggerTransform, type SwaggerTransformObject } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import packageJson from '../../package.json' with { type: 'json' };
import type { Access } from './access.ts';
import { sessionCookie } from './session-cookie.ts';

type ApiDocument = ReturnType<SwaggerTransformObject>;

/** Each named schema comes in a form for requests and one for replies; those that nothing refers to are left out. */
function withoutUnused(document: ApiDocument): ApiDocument {
  if (!('components' in document) || !document.components?.schemas) return document;
  const text = JSON.stringify(document);
  const { schemas } = document.components;
  for (const name of Object.keys(schemas))
    if (!text.includes(`"#/components/schemas/${name}"`)) delete schemas[name];
  return document;
}

const securitySchemes = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'An access token of /api/login/, or an API token.',
  },
  cookie: {
    type: 'apiKey',
    in: 'cookie',
    name: sessionCookie,
    description:
      'Set by /api/login/ for browsers; requests that change something need an Origin header with it.',
  },
} as const;

type Described = ReturnType<SwaggerTransform>;

/** Says how a request is signed in and which role it needs at least; `public` for none. */
function withAccess({ schema, url }: Described, access: Access = 'admin'): Described {
  const security = access === 'public' ? [] : [{ bearer: [] }, { cookie: [] }];
  return { schema: { ...schema, security, 'x-role': access } as Described['schema'], url };
}

/** To be called before the routes are registered. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'RTSP Stream Viewer',
        version: packageJson.version,
        description: packageJson.description,
        license: { name: packageJson.license },
      },
      tags: [
        { name: 'sign-in', description: 'Who you are, and how the service knows.' },
        { name: 'streams', description: 'Saved cameras.' },
        { name: 'pictures', description: 'Pictures of a camera over plain HTTP.' },
        { name: 'detections', description: 'Faces that were seen, and their images.' },
        { name: 'alerts', description: 'What somebody should look at.' },
        { name: 'performance', description: 'Figures of the last hour.' },
        { name: 'users', description: 'Who may sign in, and with which role.' },
        { name: 'tokens', description: 'API tokens: how programs sign in.' },
        { name: 'audit', description: 'Who did what.' },
        { name: 'operation', description: 'For whoever runs the service.' },
      ],
      components: { securitySchemes },
    },
    transform: (input) => withAccess(jsonSchemaTransform(input), input.route.config?.access),
    transformObject: (document) => withoutUnused(jsonSchemaTransformObject(document)),
  });
}

const pageFiles = [
  { url: '/api/docs', file: 'index.html', type: 'text/html; charset=utf-8' },
  { url: '/api/docs/docs.js', file: 'docs.js', type: 'text/javascript; charset=utf-8' },
  { url: '/api/docs/docs.css', file: 'docs.css', type: 'text/css; charset=utf-8' },
] as const;

export async function describeApiRoutes(app: FastifyInstance): Promise<void> {
  const config = { access: 'public' } as const;
  app.get('/api/openapi.json', { config, schema: { hide: true } }, async (_request, reply) =>
    reply.header('cache-control', 'no-cache').send(app.swagger()),
  );
  for (const { url, file, type } of pageFiles) {
    const bytes = await readFile(new URL(`docs/${file}`, import.meta.url));
    app.get(url, { config, schema: { hide: true } }, async (_request, reply) =>
      reply.type(type).header('cache-control', 'no-cache').send(bytes),
    );
  }
}
