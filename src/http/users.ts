// The routes by which admins look after users and API tokens: /api/users…, /api/tokens…
// Reading requests and writing replies; the rules are behind the port. Users are made by /api/register, in sign-in.ts.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { newTokenReply, tokenBody, tokensReply, userBody, userReply, usersReply } from './account-schemas.ts';
import { pageById } from './cursor.ts';
import { errorReply } from './errors.ts';
import { listQuery } from './list-schemas.ts';
import { originOf } from './origin.ts';
import { idParams } from './schemas.ts';
import { type AccountRoutesOptions, known } from './sign-in.ts';

const config = { access: 'admin' } as const;
const errors = { '4xx': errorReply, '5xx': errorReply };
const gone = z.undefined().describe('It is gone.');

export const userRoutes: FastifyPluginAsyncZod<AccountRoutesOptions> = async (app, { accounts }) => {
  const tags = ['users'];

  app.get(
    '/api/users',
    {
      config,
      schema: {
        tags,
        summary: 'All users, in order of creation',
        querystring: listQuery,
        response: { 200: usersReply, ...errors },
      },
    },
    async ({ query }) => {
      const { rows, next_cursor } = await pageById('users', query, (page) => accounts.listUsers(page));
      return { users: rows, next_cursor };
    },
  );

  app.patch(
    '/api/users/:id',
    {
      config,
      schema: {
        tags,
        summary:
          'Change a user; a new role or password ends the sign-ins of the user, a lower role also API tokens the user made that may more',
        params: idParams,
        body: userBody,
        response: { 200: userReply, ...errors },
      },
    },
    async (request) => ({
      user: await accounts.changeUser(request.params.id, request.body, known(request), originOf(request)),
    }),
  );

  app.delete(
    '/api/users/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Forget a user; sign-ins and sockets end, and API tokens the user made',
        params: idParams,
        response: { 204: gone, ...errors },
      },
    },
    async (request, reply) => {
      await accounts.deleteUser(request.params.id, known(request), originOf(request));
      return reply.code(204).send();
    },
  );
};

export const tokenRoutes: FastifyPluginAsyncZod<AccountRoutesOptions> = async (app, { accounts }) => {
  const tags = ['tokens'];

  app.get(
    '/api/tokens',
    {
      config,
      schema: {
        tags,
        summary: 'All API tokens, in order of creation, without their secrets',
        querystring: listQuery,
        response: { 200: tokensReply, ...errors },
      },
    },
    async ({ query }) => {
      const { rows, next_cursor } = await pageById('tokens', query, (page) => accounts.listTokens(page));
      return { tokens: rows, next_cursor };
    },
  );

  app.post(
    '/api/tokens',
    {
      config,
      schema: {
        tags,
        summary: 'Make an API token; its secret is shown this once',
        body: tokenBody,
        response: { 201: newTokenReply, ...errors },
      },
    },
    async (request, reply) => {
      const { name, role, expires_at: expiresAt } = request.body;
      const input = { name, role, expiresAt: expiresAt ?? null };
      const { token, secret } = await accounts.createToken(input, known(request), originOf(request));
      reply.code(201);
      return { message: 'API token created; its secret is not shown again.', secret, token };
    },
  );

  app.delete(
    '/api/tokens/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Revoke an API token; its sockets end',
        params: idParams,
        response: { 204: gone, ...errors },
      },
    },
    async (request, reply) => {
      await accounts.deleteToken(request.params.id, known(request), originOf(request));
      return reply.code(204).send();
    },
  );
};
