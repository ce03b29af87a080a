// /healthz: this process answers. /readyz: the parts it stands on answer too.
// What each part must do to be well is handed in.

import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { redact } from '../base/log.ts';
import { hostAllowed } from './guard.ts';
import type { ReadyCheck } from './ports.ts';

export interface HealthOptions {
  /** By name, such as `database`. */
  readonly checks: Readonly<Record<string, ReadyCheck>>;
  /** Parts that are shown beside them, but whose failure leaves the service ready, such as `detector`. */
  readonly optionalChecks?: Readonly<Record<string, ReadyCheck>>;
  /** Reasons are told to those only who ask by a name that is served here: a page that made one up learns nothing by it. */
  readonly allowedHosts: readonly string[];
  /** A part that takes longer is not ready, ms. */
  readonly timeoutMs?: number;
}

const tags = ['operation'];
const verdicts = z
  .record(z.string(), z.string())
  .describe('`ok`, or what is wrong, by part; to those who are not signed in only that it is `failing`.');

/** @returns `ok`, or why the part is not. */
async function verdict(check: ReadyCheck, timeoutMs: number): Promise<string> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    await Promise.race([check(), late.promise]);
    return 'ok';
  } catch (error) {
    return redact(error instanceof Error ? error.message : String(error));
  } finally {
    clearTimeout(timer);
  }
}

type Verdict = [name: string, verdict: string];
type Verdicts = Verdict[];

function ask(checks: Readonly<Record<string, ReadyCheck>>, timeoutMs: number): Promise<Verdicts> {
  return Promise.all(
    Object.entries(checks).map(
      async ([name, check]): Promise<Verdict> => [name, await verdict(check, timeoutMs)],
    ),
  );
}

function failing(verdicts: Verdicts): string[] {
  return verdicts.filter(([, result]) => result !== 'ok').map(([name]) => name);
}

const told = (verdict: Verdict) => verdict;

/** For strangers: what is wrong with a part says much of the machine. */
const veiled = ([name, result]: Verdict): Verdict => [name, result === 'ok' ? 'ok' : 'failing'];

export const healthRoutes: FastifyPluginAsyncZod<HealthOptions> = async (
  app,
  { checks, optionalChecks = {}, allowedHosts, timeoutMs = 2_000 },
) => {
  app.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: { tags, summary: 'Alive', response: { 200: z.object({ status: z.literal('ok') }) } },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'The database and whatever else is needed answer',
        response: {
          200: z.object({
            status: z.literal('ready'),
            checks: verdicts,
            degraded: z.array(z.string()).describe('Parts that fail while the rest of the service goes on.'),
          }),
          503: z.object({ error: z.string(), code: z.literal('not_ready'), checks: verdicts }),
        },
      },
    },
    async ({ identity, headers, host }, reply) => {
      const [needed, optional] = await Promise.all([ask(checks, timeoutMs), ask(optionalChecks, timeoutMs)]);
      const known = [headers.host ?? '', host].every((each) => hostAllowed(allowedHosts, each));
      const found = Object.fromEntries([...needed, ...optional].map(identity && known ? told : veiled));
      const failed = failing(needed);
      if (failed.length === 0)
        return { status: 'ready' as const, checks: found, degraded: failing(optional) };
      reply.code(503);
      return { error: `Not ready: ${failed.join(', ')}.`, code: 'not_ready' as const, checks: found };
    },
  );
};
