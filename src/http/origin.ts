// Where a request came from, as rate limits and the audit trail want to know it.
// Whose word on the client's address is believed is a matter of the server's settings.

import type { FastifyRequest } from 'fastify';
import type { Origin } from './auth-ports.ts';

const maxAgentLength = 200;

/** To be asked early where the address matters: a peer that has hung up has none any more, and counts as one of those. */
export function originOf({ ip, headers }: FastifyRequest): Origin {
  return {
    address: (ip as string | undefined) ?? 'gone',
    agent: headers['user-agent']?.slice(0, maxAgentLength) ?? null,
  };
}
