// Reads YAML files as data and holds them against a schema.
// What the schemas say is in compose-schema.ts and kubernetes-schema.ts.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { z } from 'zod';
import type { Problem } from './problem.ts';

/** Every document of a file; keys given twice and unknown aliases are problems, merge keys (`<<`) are followed. */
export function readYaml(
  root: string,
  file: string,
): { readonly values: unknown[]; readonly problems: Problem[] } {
  const documents = [parseAllDocuments(readFileSync(join(root, file), 'utf8'), { merge: true })].flat();
  const problems = documents.flatMap(({ errors, warnings }) =>
    [...errors, ...warnings].map(({ message, linePos }) => ({
      file,
      where: String(linePos?.[0].line ?? 1),
      what: message.split('\n', 1)[0] ?? '',
    })),
  );
  return { values: problems.length === 0 ? documents.map((document) => document.toJS()) : [], problems };
}

/** @returns what the schema makes of the value, or null with the problems added. */
export function held<T>(schema: z.ZodType<T>, value: unknown, file: string, problems: Problem[]): T | null {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  for (const { path, message } of result.error.issues)
    problems.push({ file, where: path.join('.') || 'the whole file', what: message });
  return null;
}
