// The part of the Compose specification that our files use, strictly: a member that is not here is misspelt, or to be added.
// What must hold beyond the shape is in compose.ts.

import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9][a-z0-9_-]*$/);
const duration = z.string().regex(/^(\d+(ms|s|m|h))+$/, 'is no duration such as 30s');
const texts = z.array(z.string());
const command = z.union([z.string(), texts]);

const healthcheck = z.strictObject({
  test: texts.refine(([how]) => how === 'CMD' || how === 'CMD-SHELL', 'begins with CMD or CMD-SHELL'),
  interval: duration,
  timeout: duration,
  retries: z.int().positive(),
  start_period: duration.optional(),
});

const condition = z.enum(['service_started', 'service_healthy', 'service_completed_successfully']);
const dependsOn = z.union([
  z.array(name).transform((names) => Object.fromEntries(names.map((each) => [each, 'service_started']))),
  z
    .record(name, z.strictObject({ condition }))
    .transform((all) => Object.fromEntries(Object.entries(all).map(([each, how]) => [each, how.condition]))),
]);

const attachment = z.strictObject({ ipv4_address: z.ipv4() });
const networks = z.union([
  z
    .array(name)
    .transform(
      (names): Record<string, z.infer<typeof attachment> | null> =>
        Object.fromEntries(names.map((each) => [each, null])),
    ),
  z.record(name, attachment.nullable()),
]);

export const service = z.strictObject({
  image: z.string(),
  build: z.string().optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']).optional(),
  user: z.string().optional(),
  entrypoint: command.optional(),
  command: command.optional(),
  environment: z.record(z.string().regex(/^[A-Z][A-Z0-9_]*$/), z.string()).default({}),
  env_file: z.array(z.strictObject({ path: z.string(), required: z.boolean() })).default([]),
  ports: texts.default([]),
  networks: networks.optional(),
  depends_on: dependsOn.default({}),
  volumes: z.array(z.string().regex(/^[^:]+:\/[^:]*(:ro)?$/)).default([]),
  configs: z.array(z.strictObject({ source: name, target: z.string().startsWith('/') })).default([]),
  tmpfs: z.array(z.string().regex(/^\/[\w/.-]+(:(mode|uid|gid)=\d+(,(mode|uid|gid)=\d+)*)?$/)).default([]),
  healthcheck: healthcheck.optional(),
  read_only: z.boolean().optional(),
  cap_drop: texts.default([]),
  cap_add: texts.default([]),
  security_opt: texts.default([]),
  shm_size: z.string().optional(),
  stop_signal: z.string().optional(),
  stop_grace_period: duration.optional(),
});

export const composeFile = z
  .object({
    services: z.record(name, service),
    networks: z
      .record(
        name,
        z
          .strictObject({
            internal: z.boolean().optional(),
            ipam: z.strictObject({ config: z.array(z.strictObject({ subnet: z.cidrv4() })) }).optional(),
          })
          .nullable(),
      )
      .default({}),
    volumes: z.record(name, z.null()).default({}),
    configs: z.record(name, z.strictObject({ content: z.string() })).default({}),
  })
  // Whatever begins with x- is for the file's own use.
  .catchall(z.unknown())
  .refine(
    (file) =>
      Object.keys(file).every(
        (key) => key.startsWith('x-') || ['services', 'networks', 'volumes', 'configs'].includes(key),
      ),
    'has a member that is not known here',
  );

export type ComposeService = z.output<typeof service>;
export type ComposeFile = z.output<typeof composeFile>;
