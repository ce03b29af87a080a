// The routes by which somebody signs in, stays signed in, signs out, and makes users: /api/login, /api/register, /api/me…
// Reading requests, writing replies and the cookie; whether a password or token counts is decided behind the port.

import type { FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import type { Identity } from '../base/identity.ts';
import { AppError } from '../errors.ts';
import {
  loginBody,
  meReply,
  messageReply,
  ownPasswordBody,
  refreshBody,
  registerBody,
  registeredReply,
  signedInReply,
} from './account-schemas.ts';
import type { Accounts } from './auth-ports.ts';
import { errorReply } from './errors.ts';
import { originOf } from './origin.ts';
import { forgetSignIn, keepSignedIn, presentedCookie } from './session-cookie.ts';

export interface AccountRoutesOptions {
  readonly accounts: Accounts;
}

export interface SignInRoutesOptions extends AccountRoutesOptions {
  readonly mode: 'required' | 'off';
  /** How long an unused session cookie counts, s. */
  readonly cookieMaxAge: number;
}

const errors = { '4xx': errorReply, '5xx': errorReply };
const tags = ['sign-in'];

/** Of a route that is not public. */
export function known({ identity }: Pick<FastifyRequest, 'identity'>): Identity {
  if (identity === null) throw new AppError(401, 'not_signed_in', 'Sign in first.');
  return identity;
}

/** Clients of an earlier service read the reason of a refused sign-in from `detail`. */
function withDetail(error: unknown): never {
  if (error instanceof AppError && error.status === 401 && error.detail === undefined)
    throw new AppError(401, error.code, error.message, { detail: error.message, cause: error });
  throw error;
}

export const signInRoutes: FastifyPluginAsyncZod<SignInRoutesOptions> = async (
  app,
  { accounts, mode, cookieMaxAge },
) => {
  app.post(
    '/api/login',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Sign in; browsers are given a cookie as well',
        body: loginBody,
        response: { 200: signedInReply, ...errors },
      },
    },
    async (request, reply) => {
      const signedIn = await accounts.login(request.body, originOf(request)).catch(withDetail);
      keepSignedIn(request, reply, signedIn);
      return { message: 'Signed in.', access: signedIn.access, refresh: signedIn.refresh };
    },
  );

  app.post(
    '/api/token/refresh',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary:
          'A new access token and a new refresh token; one that was used before ends the whole sign-in',
        body: refreshBody,
        response: { 200: signedInReply, ...errors },
      },
    },
    async (request, reply) => {
      const signedIn = await accounts.refresh(request.body.refresh, originOf(request));
      if (presentedCookie(request) !== null) keepSignedIn(request, reply, signedIn);
      return { message: 'Tokens renewed.', access: signedIn.access, refresh: signedIn.refresh };
    },
  );

  app.post(
    '/api/logout',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Sign out: cookie, tokens and sockets of this sign-in end',
        response: { 200: messageReply, ...errors },
      },
    },
    async (request, reply) => {
      await accounts.logout(known(request), originOf(request));
      forgetSignIn(request, reply);
      return { message: 'Signed out.' };
    },
  );

  app.post(
    '/api/register',
    {
      config: { access: 'admin', openBeforeSetup: true },
      schema: {
        tags,
        summary: 'Make a user: by an admin, or the first one with the secret of the set-up link',
        body: registerBody,
        response: { 201: registeredReply, ...errors },
      },
    },
    async (request, reply) => {
      const { identity } = request;
      const { role, setup_token: setupToken, ...input } = request.body;
      const made = await accounts.register(
        { ...input, role: role ?? undefined, setupToken: setupToken ?? undefined },
        identity,
        originOf(request),
      );
      // An admin who makes a user stays who he is.
      if (identity === null) keepSignedIn(request, reply, made);
      reply.code(201);
      return { message: 'User created.', access: made.access, refresh: made.refresh, user: made.user };
    },
  );

  app.get(
    '/api/me',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Who you are, and your role', response: { 200: meReply, ...errors } },
    },
    async (request, reply) => {
      const identity = known(request);
      const { name, role, kind } = identity;
      const cookie = presentedCookie(request);
      // The page asks this when it is opened: a browser in use keeps its cookie for as long as the session counts.
      if (kind === 'cookie' && cookie !== null) keepSignedIn(request, reply, { cookie, cookieMaxAge });
      return { user: await accounts.user(identity), name, role, auth: mode };
    },
  );

  app.patch(
    '/api/me',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Change your password; your other sign-ins end',
        body: ownPasswordBody,
        response: { 200: messageReply, ...errors },
      },
    },
    async (request) => {
      const identity = known(request);
      const { current_password: current, password } = request.body;
      await accounts.changeOwnPassword(identity, { current, password }, originOf(request));
      return { message: 'Password changed.' };
    },
  );
};
