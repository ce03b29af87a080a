// The kinds of Kubernetes and kustomize that our manifests use, strictly: a member that is not here is misspelt, or to be added.
// (The API server's own schemas take misspelt members for none.) What must hold beyond the shape is in kubernetes.ts.

import { z } from 'zod';

const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'is no name of Kubernetes');
const labels = z.record(z.string(), z.string());
const quantity = z.string().regex(/^\d+(\.\d+)?(m|Ki|Mi|Gi)?$/, 'is no quantity such as 1Gi');
const port = z.union([name, z.int().min(1).max(65_535)]);
const count = z.int().min(0);

const metadata = z.strictObject({
  name,
  labels: labels.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});
const matchLabels = z.strictObject({ matchLabels: labels });
const isKind = <const Version extends string, const Kind extends string>(
  apiVersion: Version,
  kind: Kind,
) => ({
  apiVersion: z.literal(apiVersion),
  kind: z.literal(kind),
  metadata,
});

const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string().startsWith('/'), port }),
  periodSeconds: z.int().positive(),
  timeoutSeconds: z.int().positive(),
  failureThreshold: z.int().positive(),
});

const variable = z.union([
  z.strictObject({ name: z.string(), value: z.string() }),
  z.strictObject({
    name: z.string(),
    valueFrom: z.union([
      z.strictObject({ fieldRef: z.strictObject({ fieldPath: z.enum(['metadata.name', 'status.podIP']) }) }),
      z.strictObject({
        secretKeyRef: z.strictObject({ name, key: z.string(), optional: z.boolean().optional() }),
      }),
    ]),
  }),
]);

const container = z.strictObject({
  name,
  image: z.string(),
  envFrom: z.array(z.strictObject({ configMapRef: z.strictObject({ name }) })).default([]),
  env: z.array(variable).default([]),
  ports: z.array(z.strictObject({ name, containerPort: z.int().min(1).max(65_535) })),
  startupProbe: probe,
  livenessProbe: probe,
  readinessProbe: probe,
  lifecycle: z
    .strictObject({ preStop: z.strictObject({ exec: z.strictObject({ command: z.array(z.string()) }) }) })
    .optional(),
  resources: z.strictObject({
    requests: z.strictObject({ cpu: quantity, memory: quantity }),
    limits: z.strictObject({ memory: quantity }),
  }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.strictObject({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  volumeMounts: z.array(z.strictObject({ name, mountPath: z.string().startsWith('/') })).default([]),
});

const pod = z.strictObject({
  serviceAccountName: name,
  automountServiceAccountToken: z.literal(false),
  enableServiceLinks: z.boolean(),
  terminationGracePeriodSeconds: count,
  // The profile that Kubernetes calls restricted.
  securityContext: z.strictObject({
    runAsNonRoot: z.literal(true),
    runAsUser: z.int().positive(),
    runAsGroup: z.int().positive(),
    fsGroup: z.int().positive(),
    seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
  }),
  topologySpreadConstraints: z.array(
    z.strictObject({
      maxSkew: z.int().positive(),
      topologyKey: z.string(),
      whenUnsatisfiable: z.enum(['ScheduleAnyway', 'DoNotSchedule']),
      labelSelector: matchLabels,
      matchLabelKeys: z.array(z.string()).optional(),
    }),
  ),
  containers: z.array(container).min(1),
  volumes: z.array(z.strictObject({ name, emptyDir: z.strictObject({ sizeLimit: quantity }) })).default([]),
});

export const deployment = z.strictObject({
  ...isKind('apps/v1', 'Deployment'),
  spec: z.strictObject({
    minReadySeconds: count.optional(),
    strategy: z.strictObject({
      type: z.literal('RollingUpdate'),
      rollingUpdate: z.strictObject({ maxSurge: count, maxUnavailable: count }),
    }),
    selector: matchLabels,
    template: z.strictObject({ metadata: z.strictObject({ labels }), spec: pod }),
  }),
});

const scaling = z.strictObject({
  stabilizationWindowSeconds: count.max(3_600),
  policies: z.array(
    z.strictObject({
      type: z.literal('Pods'),
      value: z.int().positive(),
      periodSeconds: z.int().min(1).max(1_800),
    }),
  ),
});

const others = [
  z.strictObject({
    ...isKind('v1', 'Service'),
    spec: z.strictObject({
      selector: labels,
      ports: z.array(z.strictObject({ name, port: z.int().min(1).max(65_535), targetPort: port })),
    }),
  }),
  z.strictObject({ ...isKind('v1', 'ServiceAccount'), automountServiceAccountToken: z.literal(false) }),
  z.strictObject({ ...isKind('v1', 'Namespace') }),
  z.strictObject({
    ...isKind('policy/v1', 'PodDisruptionBudget'),
    spec: z.strictObject({ maxUnavailable: z.int().positive(), selector: matchLabels }),
  }),
  z.strictObject({
    ...isKind('autoscaling/v2', 'HorizontalPodAutoscaler'),
    spec: z.strictObject({
      scaleTargetRef: z.strictObject({ apiVersion: z.string(), kind: z.string(), name }),
      minReplicas: z.int().positive(),
      maxReplicas: z.int().positive(),
      metrics: z.array(
        z.strictObject({
          type: z.literal('Pods'),
          pods: z.strictObject({
            metric: z.strictObject({ name: z.string() }),
            target: z.strictObject({ type: z.literal('AverageValue'), averageValue: quantity }),
          }),
        }),
      ),
      behavior: z.strictObject({ scaleUp: scaling, scaleDown: scaling }),
    }),
  }),
  z.strictObject({
    ...isKind('networking.k8s.io/v1', 'NetworkPolicy'),
    spec: z.strictObject({
      podSelector: matchLabels,
      policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
      ingress: z.array(z.strictObject({ ports: z.array(z.strictObject({ port })) })),
      egress: z.array(
        z.strictObject({
          to: z
            .array(
              z.strictObject({ ipBlock: z.strictObject({ cidr: z.cidrv4(), except: z.array(z.cidrv4()) }) }),
            )
            .optional(),
          ports: z.array(z.strictObject({ port, protocol: z.enum(['TCP', 'UDP']) })).optional(),
        }),
      ),
    }),
  }),
  z.strictObject({
    ...isKind('networking.k8s.io/v1', 'Ingress'),
    spec: z.strictObject({
      ingressClassName: name,
      tls: z.array(z.strictObject({ hosts: z.array(z.string()), secretName: name })),
      rules: z.array(
        z.strictObject({
          host: z.string(),
          http: z.strictObject({
            paths: z.array(
              z.strictObject({
                path: z.string().startsWith('/'),
                pathType: z.enum(['Prefix', 'Exact']),
                backend: z.strictObject({
                  service: z.strictObject({ name, port: z.strictObject({ name }) }),
                }),
              }),
            ),
          }),
        }),
      ),
    }),
  }),
  z.strictObject({
    ...isKind('monitoring.coreos.com/v1', 'ServiceMonitor'),
    spec: z.strictObject({
      selector: matchLabels,
      endpoints: z.array(
        z.strictObject({
          port: name,
          path: z.string().startsWith('/'),
          interval: z.string().regex(/^\d+s$/),
          authorization: z.strictObject({ credentials: z.strictObject({ name, key: z.string() }) }),
        }),
      ),
    }),
  }),
] as const;

export const manifest = z.discriminatedUnion('kind', [deployment, ...others]);

const paths = z.array(z.string()).default([]);

export const kustomization = z.strictObject({
  apiVersion: z.enum(['kustomize.config.k8s.io/v1beta1', 'kustomize.config.k8s.io/v1alpha1']),
  kind: z.enum(['Kustomization', 'Component']),
  namespace: name.optional(),
  resources: paths,
  components: paths,
  configMapGenerator: z
    .array(
      z.strictObject({
        name,
        behavior: z.literal('merge').optional(),
        literals: z.array(z.string().regex(/^[A-Z][A-Z0-9_]*=/)),
      }),
    )
    .default([]),
  images: z
    .array(z.strictObject({ name: z.string(), newName: z.string().optional(), newTag: z.string() }))
    .default([]),
});

export type Manifest = z.output<typeof manifest>;
export type Deployment = z.output<typeof deployment>;
export type Container = z.output<typeof container>;
export type Kustomization = z.output<typeof kustomization>;
