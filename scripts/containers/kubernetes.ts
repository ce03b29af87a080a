// What must hold for our Kubernetes manifests: every file is used, everything named exists, no secret stands in them.
// The shapes are in kubernetes-schema.ts.

import { globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, posix } from 'node:path';
import {
  type Container,
  type Deployment,
  type Kustomization,
  kustomization,
  type Manifest,
  manifest,
} from './kubernetes-schema.ts';
import { isSecretName, isSetting, type Problem } from './problem.ts';
import { held, readYaml } from './yaml-file.ts';

type Kind<Name extends Manifest['kind']> = Extract<Manifest, { kind: Name }>;

interface Found {
  readonly file: string;
  readonly manifest: Manifest;
}

/** Everything that is said about the service, over all files: an overlay's ingress names a service of the base. */
interface Cluster {
  readonly manifests: readonly Found[];
  readonly kustomizations: ReadonlyMap<string, Kustomization>;
  /** Names of the settings that a ConfigMap gives. */
  readonly given: ReadonlySet<string>;
  readonly say: (file: string, where: string, what: string) => void;
}

/**
 * @param folder of kustomizations and manifests, from the root.
 * @param metricNames that an adapter makes for autoscalers.
 */
export function checkKubernetes(root: string, folder: string, metricNames: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  const files = globSync(`${folder}/**/*.{yaml,yml}`, { cwd: root })
    .map((path) => path.replaceAll('\\', '/'))
    .sort();
  if (files.length === 0) return [{ file: folder, where: '0', what: 'holds no manifest' }];
  const manifests: Found[] = [];
  const kustomizations = new Map<string, Kustomization>();
  for (const file of files) {
    const read = readYaml(root, file);
    problems.push(...read.problems);
    for (const value of read.values)
      if (basename(file) === 'kustomization.yaml') {
        const found = held(kustomization, value, file, problems);
        if (found) kustomizations.set(dirname(file), found);
      } else {
        const found = held(manifest, value, file, problems);
        if (found) manifests.push({ file, manifest: found });
      }
  }
  // What cannot be read is named by others, which would be said to name nothing.
  if (problems.length > 0) return problems;
  const generated = [...kustomizations.values()].flatMap((each) => each.configMapGenerator);
  const given = new Set(
    generated.flatMap(({ literals }) => literals.map((literal) => literal.split('=', 1)[0]!)),
  );
  const say: Cluster['say'] = (file, where, what) => problems.push({ file, where, what });
  const cluster: Cluster = { manifests, kustomizations, given, say };
  checkListed(files, cluster);
  checkKustomizations(root, cluster);
  for (const { file, manifest } of manifests) {
    if (manifest.kind === 'Deployment') checkDeployment(root, file, manifest, cluster);
    checkNames(file, manifest, cluster, metricNames);
    checkSelectors(file, manifest, cluster);
  }
  return problems;
}

function checkListed(files: readonly string[], { kustomizations, say }: Cluster): void {
  const listed = new Set<string>();
  for (const [folder, { resources, components }] of kustomizations)
    for (const entry of [...resources, ...components]) {
      const path = posix.join(folder, entry);
      listed.add(path);
      const isFolder = kustomizations.get(path);
      if (!files.includes(path) && !isFolder)
        say(`${folder}/kustomization.yaml`, entry, 'does not exist, or is a folder without a kustomization');
      if (isFolder && (isFolder.kind === 'Component') !== components.includes(entry))
        say(
          `${folder}/kustomization.yaml`,
          entry,
          'components are listed below components, others below resources',
        );
    }
  for (const file of files)
    if (basename(file) !== 'kustomization.yaml' && !listed.has(file))
      say(file, 'the whole file', 'is listed by no kustomization');
}

function checkKustomizations(root: string, { kustomizations, manifests, given, say }: Cluster): void {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const texts = JSON.stringify(manifests);
  for (const [folder, { images, configMapGenerator }] of kustomizations) {
    const file = `${folder}/kustomization.yaml`;
    for (const { name, newTag } of images)
      if (newTag !== version)
        say(file, 'images', `package.json is at version ${version}, ${name} here at ${newTag}`);
    for (const { literals } of configMapGenerator)
      for (const literal of literals) {
        const [name = ''] = literal.split('=', 1);
        if (isSecretName(name))
          say(file, 'configMapGenerator', `${name} holds a secret: it belongs into the Secret`);
      }
  }
  for (const name of given)
    if (!isSetting(name) && !texts.includes(`$(${name})`))
      say('configMapGenerator', name, 'is no setting of the service, and nothing refers to it');
}

function checkDeployment(root: string, file: string, { spec }: Deployment, cluster: Cluster): void {
  const { say, kustomizations } = cluster;
  const pod = spec.template.spec;
  if (pod.terminationGracePeriodSeconds < 30)
    say(file, 'terminationGracePeriodSeconds', 'is less than 30 seconds, too short to hand over its cameras');
  const volumes = pod.volumes.map(({ name }) => name);
  const images = [...kustomizations.values()].flatMap((each) => each.images.map(({ name }) => name));
  for (const container of pod.containers) {
    const at = `containers.${container.name}`;
    if (!images.includes(container.image)) say(file, `${at}.image`, 'no kustomization gives it a version');
    const mounts = container.volumeMounts.map(({ name }) => name);
    for (const name of mounts) if (!volumes.includes(name)) say(file, at, `there is no volume ${name}`);
    for (const name of volumes)
      if (!mounts.includes(name)) say(file, at, `the volume ${name} is not mounted`);
    checkEnvironment(file, at, container, cluster);
    checkProbes(root, file, at, container, cluster);
  }
}

function checkEnvironment(
  file: string,
  at: string,
  container: Container,
  { given, kustomizations, say }: Cluster,
): void {
  const generated = [...kustomizations.values()].flatMap((each) =>
    each.configMapGenerator.map(({ name }) => name),
  );
  for (const { configMapRef } of container.envFrom)
    if (!generated.includes(configMapRef.name))
      say(file, at, `nothing makes the ConfigMap ${configMapRef.name}`);
  const before = new Set(given);
  const values = container.env.flatMap((variable) => ('value' in variable ? [variable.value] : []));
  for (const variable of container.env) {
    const { name } = variable;
    if (!isSetting(name) && !values.some((value) => value.includes(`$(${name})`)))
      say(file, `${at}.env`, `${name} is no setting of the service, and nothing refers to it`);
    if ('value' in variable) {
      if (isSecretName(name)) say(file, `${at}.env`, `${name} holds a secret: take it from the Secret`);
      for (const [, other = ''] of variable.value.matchAll(/\$\((\w+)\)/g))
        if (!before.has(other))
          say(file, `${at}.env`, `${name} refers to ${other}, which is not given before it`);
    }
    before.add(name);
  }
}

function checkProbes(root: string, file: string, at: string, container: Container, { say }: Cluster): void {
  const ports = container.ports.flatMap(({ name, containerPort }) => [name, containerPort]);
  const routes = routesOf(root);
  const { startupProbe, livenessProbe, readinessProbe } = container;
  for (const [name, { httpGet }] of Object.entries({ startupProbe, livenessProbe, readinessProbe })) {
    if (!ports.includes(httpGet.port)) say(file, `${at}.${name}`, `there is no port ${httpGet.port}`);
    if (!routes.has(httpGet.path)) say(file, `${at}.${name}`, `the service has no route ${httpGet.path}`);
  }
  // A database that is away must not restart every instance.
  if (livenessProbe.httpGet.path !== '/healthz')
    say(file, `${at}.livenessProbe`, 'asks more than whether it lives');
}

/** The plain routes as they stand in the sources of the HTTP side. */
function routesOf(root: string): Set<string> {
  const sources = globSync('src/http/*.ts', { cwd: root, exclude: (path) => path.endsWith('.test.ts') });
  const texts = sources.map((path) => readFileSync(join(root, path), 'utf8'));
  return new Set(
    texts.flatMap((text) => [...text.matchAll(/^\s+'(\/[a-z]+)',$/gm)].map(([, route]) => route!)),
  );
}

/** Whatever one manifest calls another by. */
function checkNames(
  file: string,
  manifest: Manifest,
  { manifests, say }: Cluster,
  metricNames: readonly string[],
): void {
  const named = <K extends Manifest['kind']>(kind: K, name: string, where: string) => {
    const found = manifests
      .map((each) => each.manifest)
      .find((each) => each.kind === kind && each.metadata.name === name);
    if (!found) say(file, where, `there is no ${kind} ${name}`);
    return found as Kind<K> | undefined;
  };
  if (manifest.kind === 'Deployment')
    named('ServiceAccount', manifest.spec.template.spec.serviceAccountName, 'serviceAccountName');
  if (manifest.kind === 'HorizontalPodAutoscaler') {
    const { scaleTargetRef, metrics, minReplicas, maxReplicas } = manifest.spec;
    named('Deployment', scaleTargetRef.name, 'scaleTargetRef');
    if (minReplicas > maxReplicas) say(file, 'minReplicas', 'is more than maxReplicas');
    for (const { pods } of metrics)
      if (!metricNames.includes(pods.metric.name))
        say(file, 'metrics', `no adapter makes ${pods.metric.name}`);
  }
  if (manifest.kind === 'Ingress')
    for (const { http } of manifest.spec.rules)
      for (const { backend } of http.paths) {
        const service = named('Service', backend.service.name, 'backend');
        if (service && !service.spec.ports.some(({ name }) => name === backend.service.port.name))
          say(file, 'backend', `the service has no port ${backend.service.port.name}`);
      }
}

const fits = (selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>> = {}) =>
  Object.keys(selector).length > 0 && Object.entries(selector).every(([key, value]) => labels[key] === value);

/** Selectors find the pods that they are for, and ports the names they have there. */
function checkSelectors(file: string, manifest: Manifest, { manifests, say }: Cluster): void {
  const all = manifests.map((each) => each.manifest);
  const pods = all.filter((each) => each.kind === 'Deployment').map(({ spec }) => spec.template);
  const toPods = (selector: Readonly<Record<string, string>>, ports: readonly (string | number)[]) => {
    const found = pods.filter(({ metadata }) => fits(selector, metadata.labels));
    if (found.length === 0) say(file, 'selector', 'finds no pod');
    const open = found.flatMap(({ spec }) => spec.containers.flatMap((each) => each.ports));
    for (const port of ports)
      if (!open.some(({ name, containerPort }) => name === port || containerPort === port))
        say(file, 'ports', `the pods have no port ${port}`);
  };
  if (manifest.kind === 'Deployment') {
    toPods(manifest.spec.selector.matchLabels, []);
    for (const { labelSelector } of manifest.spec.template.spec.topologySpreadConstraints)
      toPods(labelSelector.matchLabels, []);
  }
  if (manifest.kind === 'Service')
    toPods(
      manifest.spec.selector,
      manifest.spec.ports.map((each) => each.targetPort),
    );
  if (manifest.kind === 'PodDisruptionBudget') toPods(manifest.spec.selector.matchLabels, []);
  if (manifest.kind === 'NetworkPolicy')
    toPods(
      manifest.spec.podSelector.matchLabels,
      manifest.spec.ingress.flatMap(({ ports }) => ports.map(({ port }) => port)),
    );
  if (manifest.kind !== 'ServiceMonitor') return;
  const services = all.filter((each) => each.kind === 'Service');
  const found = services.filter(({ metadata }) => fits(manifest.spec.selector.matchLabels, metadata.labels));
  if (found.length === 0) say(file, 'selector', 'finds no service');
  for (const { port } of manifest.spec.endpoints)
    if (!found.some(({ spec }) => spec.ports.some(({ name }) => name === port)))
      say(file, 'endpoints', `the service has no port ${port}`);
}
