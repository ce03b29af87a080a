// The HTTP server: what holds for every request, and the resources joined to it, one plugin each.
// It neither listens nor knows who implements its ports; app does.

import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import fastify, { type FastifyInstance } from 'fastify';
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { Registry } from 'prom-client';
import type { Log } from '../base/log.ts';
import type { Config } from '../config.ts';
import { controlAccess } from './access.ts';
import { alertRoutes } from './alerts.ts';
import { auditRoutes } from './audit.ts';
import { auditRequests } from './audit-hook.ts';
import type { Accounts, AuditTrail, Authenticator } from './auth-ports.ts';
import { cameraCheckRoutes } from './camera-check.ts';
import type { CameraChecks } from './camera-check-ports.ts';
import { detectionRoutes } from './detections.ts';
import { answerBadHttp, answerBadPath, handleErrors, handleUnknownRoutes } from './errors.ts';
import { guard } from './guard.ts';
import { healthRoutes } from './health.ts';
import { readJsonBodies } from './json-body.ts';
import { mediaRoutes } from './media.ts';
import { type MetricsOptions, metricsRoutes, requestHistogram } from './metrics.ts';
import { describeApi, describeApiRoutes } from './openapi.ts';
import { servePage } from './page.ts';
import { performanceRoutes } from './performance.ts';
import type { PerformanceHistories } from './performance-ports.ts';
import { type PictureRoutesOptions, pictureRoutes } from './pictures.ts';
import type { ReadyCheck, StreamService } from './ports.ts';
import type { DetectionFigures, RecordService } from './record-ports.ts';
import { signInRoutes } from './sign-in.ts';
import { streamRoutes } from './streams.ts';
import { tokenRoutes, userRoutes } from './users.ts';

export interface HttpAuth {
  readonly authenticator: Authenticator;
  readonly accounts: Accounts;
  readonly audit: AuditTrail;
  /** How long an unused session cookie counts, s. */
  readonly cookieMaxAge: number;
  readonly mode: 'required' | 'off';
}

export interface HttpDependencies {
  readonly config: Pick<
    Config,
    'debug' | 'allowedHosts' | 'corsAllowedOrigins' | 'wsBaseUrl' | 'trustedProxies'
  >;
  readonly auth: HttpAuth;
  readonly log: Log;
  readonly streams: StreamService;
  readonly records: RecordService;
  readonly cameraChecks: CameraChecks;
  readonly histories: PerformanceHistories;
  readonly detectionFigures: () => DetectionFigures;
  /** What else /metrics tells; see metrics-ports.ts. */
  readonly metrics?: Pick<MetricsOptions, 'heldCameras' | 'cluster'>;
  /** What /readyz asks, by name. */
  readonly checks: Readonly<Record<string, ReadyCheck>>;
  /** What it shows beside them; their failure leaves the service ready. */
  readonly optionalChecks?: Readonly<Record<string, ReadyCheck>>;
  /** Absolute path of the folder whose files are served at `/`. */
  readonly publicDir: string;
  /** Where other parts have put their metrics; a new one by default. */
  readonly registry?: Registry;
  readonly pictures?: Pick<PictureRoutesOptions, 'firstPictureMs' | 'stuckMs'>;
}

const bodyLimit = 64 * 1024;
/** Slowest request that is waited for: a body is some hundred bytes. */
const requestTimeoutMs = 30_000;

/** Answered for as long as somebody watches: no time to be measured. */
const endlessRoutes = /^\/ws\/|\.mjpeg$/;

/** `/api//streams/` is `/api/streams`: earlier clients write both. The query stays as it is: it may hold an address. */
function plainPath(url: string): string {
  const end = url.search(/[?#]/);
  const path = end === -1 ? url : url.slice(0, end);
  const folded = path.replace(/\/{2,}/g, '/').replace(/(.)\/$/, '$1');
  return end === -1 ? folded : folded + url.slice(end);
}

function contentPolicy(wsBaseUrl: string | undefined) {
  const sockets = wsBaseUrl === undefined ? [] : [new URL(wsBaseUrl).origin];
  return {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      fontSrc: ["'self'"],
      imgSrc: ["'self'", 'blob:', 'data:'],
      mediaSrc: ["'self'", 'blob:'],
      workerSrc: ["'self'", 'blob:'],
      manifestSrc: ["'self'"],
      connectSrc: ["'self'", ...sockets],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
  };
}

/**
 * Builds the server with all routes; the WebSocket side may add its own before `listen`.
 * Paths are folded before routing (see `plainPath`), so routes are declared without a slash at the end.
 */
export async function buildHttp(dependencies: HttpDependencies): Promise<FastifyInstance> {
  const { config, auth, log, streams, records, detectionFigures, publicDir, pictures } = dependencies;
  const { registry = new Registry(), checks, optionalChecks = {} } = dependencies;
  const app = fastify({
    // Fastify's own request log would write URLs, and with them camera addresses.
    logger: false,
    bodyLimit,
    requestTimeout: requestTimeoutMs,
    trustProxy: config.trustedProxies.length > 0 && [...config.trustedProxies],
    rewriteUrl: ({ url = '/' }) => plainPath(url),
    routerOptions: { maxParamLength: 200 },
    forceCloseConnections: true,
    frameworkErrors: answerBadPath,
    clientErrorHandler: answerBadHttp,
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);

  handleErrors(app, log, config.debug);
  handleUnknownRoutes(app);
  readJsonBodies(app);
  await app.register(helmet, {
    contentSecurityPolicy: contentPolicy(config.wsBaseUrl),
    referrerPolicy: { policy: 'no-referrer' },
    // Whoever puts TLS in front decides on this; sent over plain HTTP it means nothing.
    strictTransportSecurity: false,
  });
  guard(app, config);
  await app.register(cors, {
    origin: [...config.corsAllowedOrigins],
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'],
    strictPreflight: false,
  });
  watchRequests(app, log, registry);
  await app.register(cookie);
  controlAccess(app, { ...auth, log });
  auditRequests(app, auth.audit);
  keepOutOfCaches(app);

  await describeApi(app);
  await app.register(signInRoutes, auth);
  await app.register(userRoutes, auth);
  await app.register(tokenRoutes, auth);
  await app.register(auditRoutes, auth);
  await app.register(streamRoutes, { streams, wsBaseUrl: config.wsBaseUrl });
  await app.register(cameraCheckRoutes, { checks: dependencies.cameraChecks, audit: auth.audit });
  await app.register(performanceRoutes, { streams, histories: dependencies.histories });
  await app.register(pictureRoutes, { streams, authenticator: auth.authenticator, ...pictures });
  await app.register(detectionRoutes, { records });
  await app.register(alertRoutes, { records });
  await app.register(mediaRoutes, { records });
  await app.register(healthRoutes, { checks, optionalChecks, allowedHosts: config.allowedHosts });
  await app.register(metricsRoutes, { streams, registry, detectionFigures, ...dependencies.metrics });
  await describeApiRoutes(app);
  await servePage(app, publicDir);
  return app;
}

/** Replies may hold tokens, and what one may see another may not. Routes that know better say so themselves. */
function keepOutOfCaches(app: FastifyInstance): void {
  app.addHook('onSend', async (request, reply) => {
    // By the route as well: `/%61pi/me` is one of them.
    const paths = [request.url, request.routeOptions.url ?? ''];
    if (paths.some((path) => path.startsWith('/api/')) && !reply.hasHeader('cache-control'))
      reply.header('cache-control', 'no-store');
  });
}

function watchRequests(app: FastifyInstance, log: Log, registry: Registry): void {
  const histogram = requestHistogram(registry);
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'unknown';
    const status = String(reply.statusCode);
    if (!endlessRoutes.test(route))
      histogram.observe({ method: request.method, route, status }, reply.elapsedTime / 1000);
    log.debug({ method: request.method, route, status, ms: Math.round(reply.elapsedTime) }, 'request');
  });
  // A refused upgrade has taken its socket out of the server's care: nobody else would ever close it.
  app.addHook('onSend', async (request, reply) => {
    if (request.headers.upgrade !== undefined && reply.statusCode >= 400) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    if (request.headers.upgrade !== undefined && reply.statusCode >= 400) request.raw.socket.destroySoon();
  });
}
