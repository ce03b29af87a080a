// What must hold for our compose files: everything named exists, no password stands in them, nobody reaches what is inside.
// The shape is in compose-schema.ts.

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ComposeFile, type ComposeService, composeFile } from './compose-schema.ts';
import { imagePin, isSecretName, isSetting, type Problem } from './problem.ts';
import { held, readYaml } from './yaml-file.ts';

type Say = (where: string, what: string) => void;

export function checkCompose(root: string, file: string): Problem[] {
  const { values, problems } = readYaml(root, file);
  const say: Say = (where, what) => problems.push({ file, where, what });
  if (problems.length > 0) return problems;
  const compose = held(composeFile, values[0], file, problems);
  if (!compose) return problems;
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const [name, service] of Object.entries(compose.services)) {
    checkImage(`services.${name}`, service, version, say);
    checkReferences(`services.${name}`, service, compose, root, say);
    checkEnvironment(`services.${name}`, service, say);
    checkWalls(`services.${name}`, service, say);
  }
  checkUnused(compose, say);
  checkInstances(compose, say);
  checkVariables(values[0], '', say);
  return problems;
}

function checkImage(at: string, { image, build }: ComposeService, version: string, say: Say): void {
  if (build === undefined) {
    if (imagePin(image) !== 'precise')
      say(`${at}.image`, `${image} is another image tomorrow; name a precise version`);
  } else if (!image.endsWith(`:${version}`))
    say(`${at}.image`, `package.json is at version ${version}, this at ${image}`);
}

function checkReferences(
  at: string,
  service: ComposeService,
  compose: ComposeFile,
  root: string,
  say: Say,
): void {
  for (const [other, condition] of Object.entries(service.depends_on)) {
    const needed = compose.services[other];
    if (!needed) say(`${at}.depends_on`, `there is no service ${other}`);
    // The image built here has a health check of its own.
    else if (condition === 'service_healthy' && !needed.healthcheck && needed.build === undefined)
      say(`${at}.depends_on`, `${other} has no health check that could be waited for`);
  }
  for (const network of Object.keys(service.networks ?? {}))
    if (!(network in compose.networks)) say(`${at}.networks`, `there is no network ${network}`);
  for (const { source } of service.configs)
    if (!(source in compose.configs)) say(`${at}.configs`, `there is no config ${source}`);
  for (const volume of service.volumes) {
    const [source = ''] = volume.split(':');
    if (/^[./]/.test(source) && !existsSync(join(root, source)))
      say(`${at}.volumes`, `${source} does not exist`);
    if (!/^[./]/.test(source) && !(source in compose.volumes))
      say(`${at}.volumes`, `there is no volume ${source}`);
  }
  if (service.build !== undefined && !existsSync(join(root, service.build, 'Dockerfile')))
    say(`${at}.build`, `there is no Dockerfile in ${service.build}`);
}

function checkEnvironment(at: string, { environment, build }: ComposeService, say: Say): void {
  for (const [name, value] of Object.entries(environment)) {
    if (build !== undefined && !isSetting(name))
      say(`${at}.environment`, `${name} is no setting of the service`);
    if (isSecretName(name) && !/^\$\{\w+:\?[^}]+\}$/.test(value))
      say(`${at}.environment`, `${name} holds a secret: write \${NAME:?what to do when it is missing}`);
    const password = /:\/\/[^/@:]*:([^@]*)@/.exec(value)?.[1];
    if (password !== undefined && !/^\$\{\w+:\?[^}]+\}$/.test(password))
      say(`${at}.environment`, `${name} holds a password: write \${NAME:?what to do when it is missing}`);
  }
}

function checkWalls(at: string, service: ComposeService, say: Say): void {
  if (!service.read_only) say(at, 'may write to its image: set read_only, and tmpfs for what it needs');
  if (!service.cap_drop.includes('ALL')) say(at, 'keeps capabilities: drop ALL, and add what it needs');
  if (!service.security_opt.includes('no-new-privileges:true')) say(at, 'lacks no-new-privileges');
  for (const port of service.ports)
    if (!/^\$\{\w+:-127\.0\.0\.1:\d+\}:\d+$/.test(port))
      say(
        `${at}.ports`,
        `${port} is open to every network unless told otherwise; write \${NAME:-127.0.0.1:…}:…`,
      );
}

function checkUnused({ services, networks, volumes, configs }: ComposeFile, say: Say): void {
  const all = Object.values(services);
  const used = {
    networks: all.flatMap((service) => Object.keys(service.networks ?? {})),
    volumes: all.flatMap((service) => service.volumes.map((volume) => volume.split(':', 1)[0])),
    configs: all.flatMap((service) => service.configs.map(({ source }) => source)),
  };
  for (const [kind, declared] of Object.entries({ networks, volumes, configs }))
    for (const name of Object.keys(declared))
      if (!used[kind as keyof typeof used].includes(name)) say(`${kind}.${name}`, 'is used by nothing');
}

/** Several instances of the service behind a proxy: names of their own, time to leave, and the proxy alone in front. */
function checkInstances({ services, networks }: ComposeFile, say: Say): void {
  const instances = Object.entries(services).filter(([, { build }]) => build !== undefined);
  if (instances.length < 2) return;
  const names = instances.map(([name, { environment }]) => environment.INSTANCE_NAME ?? name);
  if (new Set(names).size < names.length) say('services', 'two instances have the same INSTANCE_NAME');
  const published = Object.entries(services).filter(([, { ports }]) => ports.length > 0);
  if (published.length !== 1)
    say('services', `one service is reachable from outside, not ${published.length}`);
  const [proxy] = published;
  if (proxy?.[1].build !== undefined)
    say(`services.${proxy[0]}`, 'an instance is reachable without the proxy');
  const address = Object.values(proxy?.[1].networks ?? {}).find((network) => network !== null)?.ipv4_address;
  const listed = (proxy?.[1].environment.INSTANCES ?? '').split(/\s+/).map((each) => each.split(':', 1)[0]);
  for (const [name, { environment, stop_grace_period: grace = '10s' }] of instances) {
    if (environment.TRUSTED_PROXIES !== `${address}/32`)
      say(`services.${name}`, `TRUSTED_PROXIES is not the proxy's address (${address}/32)`);
    if (!/^(3\d|[4-9]\d|\d{3,})s$/.test(grace))
      say(`services.${name}`, 'has less than 30s to hand over its cameras');
    if (!listed.includes(name)) say(`services.${proxy?.[0]}`, `INSTANCES lacks ${name}`);
  }
  for (const [name, { build, networks: joined }] of Object.entries(services))
    if (build === undefined && name !== proxy?.[0])
      for (const network of Object.keys(joined ?? { default: null }))
        if (!networks[network]?.internal) say(`services.${name}`, `is in ${network}, which is not internal`);
}

/** Every `$` in a text is a variable of Compose or doubled, and a secret one has no value when it is not given. */
function checkVariables(value: unknown, at: string, say: Say): void {
  if (typeof value === 'object' && value !== null) {
    for (const [key, member] of Object.entries(value))
      checkVariables(member, at === '' ? key : `${at}.${key}`, say);
    return;
  }
  if (typeof value !== 'string') return;
  for (const [found, name, how] of value.matchAll(/\$\$|\$\{(\w+)(:[?-][^}]*)?\}|\$/g)) {
    if (found === '$$') continue;
    if (name === undefined) say(at, 'has a bare $: double it, or put what follows in braces');
    else if (how === undefined) say(at, `${name} is empty when it is not given; say by :- or :? what then`);
    else if (isSecretName(name) && !how.startsWith(':?'))
      say(at, `${name} has a default that everybody knows`);
  }
}
