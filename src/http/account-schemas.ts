// The shapes of requests and replies about sign-in, users, API tokens and the audit trail: checks, types and OpenAPI text.
// What a user name and a password have to be is decided behind the port, not here.

import { z } from 'zod';
import { roles } from '../base/identity.ts';
import type { AuditAction } from './auth-ports.ts';
import { moment, nextCursor, paging, range } from './list-schemas.ts';
import { name, text } from './schemas.ts';

const body = { error: 'The request body must be a JSON object.' };

/** Long texts would only keep the hashing busy. */
const short = (what: string) =>
  text(what).min(1, 'must not be empty').max(1024, 'must not be longer than 1024 characters');

const role = z.enum(roles, `must be ${roles.slice(0, -1).join(', ')} or ${roles.at(-1)}`);
const username = short('the user name');
const password = short('the password').meta({ format: 'password' });
const email = z
  .string('must be a text: an e-mail address')
  .max(254, 'must not be longer than 254 characters');

export const loginBody = z.object({ username, password }, body).meta({ id: 'SignIn' });

export const refreshBody = z
  .object({ refresh: short('the refresh token') }, body)
  .meta({ id: 'TokenRefresh' });

export const registerBody = z
  .object(
    {
      username,
      password,
      email: email.nullish().transform((text) => text || undefined),
      role: role.nullish().describe('viewer when absent; the first user is always an admin.'),
      setup_token: short('the secret of the set-up link')
        .nullish()
        .describe('While there is no user: what follows #setup= in the link that the service printed.'),
    },
    body,
  )
  .meta({ id: 'NewUser' });

export const ownPasswordBody = z
  .object({ current_password: short('your password as it is now'), password }, body)
  .meta({ id: 'OwnPassword' });

export const userBody = z
  .object(
    {
      role: role.optional(),
      email: email.nullable().optional(),
      password: password.optional(),
    },
    body,
  )
  .meta({ id: 'UserChange' });

/** Strict: with a misspelt `expires_at` the token would be valid for ever. */
export const tokenBody = z
  .strictObject(
    {
      name: name('what the token is for'),
      role: role.default('viewer'),
      expires_at: moment
        .refine((time) => time > Date.now(), 'must be in the future')
        .nullish()
        .describe('ISO 8601; null or absent: it does not expire.'),
    },
    body,
  )
  .meta({ id: 'NewApiToken' });

const time = z.string().describe('ISO 8601, UTC');

export const user = z
  .object({
    id: z.string().describe('Opaque.'),
    username: z.string(),
    email: z.string().nullable(),
    role,
    created_at: time,
    last_login: time.nullable(),
  })
  .meta({ id: 'User' });

export const apiToken = z
  .object({
    id: z.string().describe('Opaque.'),
    name: z.string(),
    role,
    created_at: time,
    expires_at: time.nullable().describe('Null: it does not expire.'),
    last_used: time.nullable(),
    created_by: z.string().nullable().describe('Name of the user who made it.'),
  })
  .meta({ id: 'ApiToken' });

const signedInMembers = {
  message: z.string(),
  access: z.string().describe('For Authorization: Bearer; valid some minutes.'),
  refresh: z.string().describe('For /api/token/refresh/; valid once.'),
};
export const signedInReply = z.object(signedInMembers).meta({ id: 'SignedIn' });
export const registeredReply = z.object({ ...signedInMembers, user }).meta({ id: 'Registered' });
export const messageReply = z.object({ message: z.string() });

export const meReply = z
  .object({
    user: user.nullable().describe('Null for an API token, and with sign-in switched off.'),
    name: z.string().describe('Of the user or of the API token.'),
    role,
    auth: z.enum(['required', 'off']).describe('off: everyone is admin.'),
  })
  .meta({ id: 'Me' });

export const userReply = z.object({ user });
export const usersReply = z.object({ users: z.array(user), next_cursor: nextCursor });
export const tokensReply = z.object({ tokens: z.array(apiToken), next_cursor: nextCursor });
export const newTokenReply = z
  .object({
    message: z.string(),
    secret: z.string().describe('For Authorization: Bearer; shown this once.'),
    token: apiToken,
  })
  .meta({ id: 'CreatedApiToken' });

const auditActions: Record<AuditAction, true> = {
  set_up: true,
  signed_in: true,
  sign_in_failed: true,
  signed_out: true,
  token_reused: true,
  user_created: true,
  user_changed: true,
  user_deleted: true,
  password_changed: true,
  api_token_created: true,
  api_token_deleted: true,
  stream_created: true,
  stream_changed: true,
  stream_started: true,
  stream_stopped: true,
  detection_paused: true,
  detection_resumed: true,
  stream_deleted: true,
  detection_created: true,
  detection_deleted: true,
  alert_viewed: true,
  alerts_viewed: true,
  alert_deleted: true,
  watched_ad_hoc: true,
};
const auditAction = z.enum(Object.keys(auditActions) as AuditAction[], 'is no action of the audit trail');

export const auditQuery = z.strictObject({
  action: auditAction.optional(),
  actor: z.string().min(1, 'must not be empty').max(1024).optional().describe('Name of a user or API token.'),
  ...range,
  ...paging,
});

export const auditReply = z.object({
  entries: z.array(
    z
      .object({
        id: z.string().describe('Opaque.'),
        timestamp: time,
        action: auditAction,
        actor: z.string().nullable().describe('Name of the user or API token; null for nobody known.'),
        actor_role: role.nullable(),
        subject: z.string().nullable().describe('What it was done to.'),
        detail: z.string().nullable(),
        address: z.string().describe('Where the request came from.'),
      })
      .meta({ id: 'AuditEntry' }),
  ),
  next_cursor: nextCursor,
});
