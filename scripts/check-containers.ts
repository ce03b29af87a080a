// Holds the files that containers are built and run from against what they must be; part of `npm run check`.
// Looks at files only: whether an engine takes them is found out where there is one.

import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { checkCompose } from './containers/compose.ts';
import { checkDockerfile } from './containers/dockerfile-rules.ts';
import { checkKubernetes } from './containers/kubernetes.ts';
import type { Problem } from './containers/problem.ts';
import { held, readYaml } from './containers/yaml-file.ts';

const adapterFile = 'deploy/prometheus-adapter.yaml';

const adapter = z.strictObject({
  rules: z.strictObject({
    custom: z.array(
      z.strictObject({
        seriesQuery: z.string(),
        resources: z.strictObject({
          overrides: z.record(z.string(), z.strictObject({ resource: z.enum(['namespace', 'pod']) })),
        }),
        name: z.strictObject({ matches: z.string(), as: z.string() }),
        metricsQuery: z.string(),
      }),
    ),
  }),
});

/** The rules by which Prometheus' series become metrics of pods. @returns the names of these. */
function checkAdapter(root: string, problems: Problem[]): string[] {
  const { values, problems: unread } = readYaml(root, adapterFile);
  problems.push(...unread);
  const rules = unread.length === 0 ? held(adapter, values[0], adapterFile, problems)?.rules.custom : [];
  const sources = globSync('src/http/*.ts', { cwd: root }).map((path) =>
    readFileSync(join(root, path), 'utf8'),
  );
  for (const { seriesQuery, name } of rules ?? []) {
    const [series = ''] = seriesQuery.split('{', 1);
    if (!sources.some((text) => text.includes(`'${series}'`)))
      problems.push({ file: adapterFile, where: 'seriesQuery', what: `the service has no metric ${series}` });
    if (!new RegExp(name.matches).test(series))
      problems.push({ file: adapterFile, where: 'name.matches', what: `does not fit ${series}` });
  }
  return (rules ?? []).map(({ name }) => name.as);
}

/** @returns everything that is wrong, file by file; nothing when all is well. */
export function checkContainers(root: string): Problem[] {
  const problems = checkDockerfile(root);
  const composeFiles = globSync('compose*.yaml', { cwd: root }).sort();
  if (composeFiles.length === 0) problems.push({ file: 'compose.yaml', where: '0', what: 'does not exist' });
  for (const file of composeFiles) problems.push(...checkCompose(root, file));
  const metricNames = checkAdapter(root, problems);
  problems.push(...checkKubernetes(root, 'deploy/kubernetes', metricNames));
  return problems;
}
