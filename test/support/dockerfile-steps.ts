// Does by hand, in a temporary folder and without root, what a Dockerfile tells an engine to do.
// What changes the base image itself (commands with absolute paths, and what is copied out of that) is left out and named.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  globSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join, posix, relative } from 'node:path';
import {
  copyOf,
  type Instruction,
  pairsOf,
  parseDockerfile,
  type Stage,
} from '../../scripts/containers/dockerfile.ts';
import { ignoreRules } from '../../scripts/containers/dockerfile-rules.ts';

export interface BuiltImage {
  /** Its root folder; that of the base image is not in it. */
  readonly folder: string;
  /** Absolute, below `folder`. */
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly command: readonly string[];
  readonly healthcheck: readonly string[];
  /** The user it runs as; undefined when we are not root and so are that user already. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  /** Steps that were left out, as `LINE KEYWORD`. */
  readonly leftOut: readonly string[];
  /** A folder that its user may write to. */
  scratch(name: string): string;
  remove(): void;
}

/** How this machine reaches the registry; an engine is told the same by its own settings. */
const waysOut = Object.fromEntries(
  Object.entries(process.env).filter(([name]) =>
    /^(NODE_EXTRA_CA_CERTS|(HTTPS?|NO)_PROXY|npm_config_(registry|cafile|https?_proxy|noproxy))$/i.test(name),
  ),
);

interface Built {
  readonly stage: Stage;
  readonly folder: string;
  readonly env: Record<string, string>;
  workdir: string;
}

/** @throws Error with the output of the step that fails. */
export async function buildByHand(root: string): Promise<BuiltImage> {
  const stages = parseDockerfile(readFileSync(join(root, 'Dockerfile'), 'utf8'));
  const build = new Build(root, userOf(stages));
  try {
    for (const stage of stages) await build.run(stage);
    return build.result();
  } catch (error) {
    build.remove();
    throw error;
  }
}

function userOf(stages: readonly Stage[]): { uid: number; gid: number } | undefined {
  const user = stages.at(-1)?.instructions.findLast(({ keyword }) => keyword === 'USER');
  const [uid, gid] = (user?.text ?? '').split(':').map(Number);
  if (!uid || !gid) throw new Error('The image has no user with a number of its own.');
  return process.getuid?.() === 0 ? { uid, gid } : undefined;
}

class Build {
  readonly #root: string;
  readonly #user: { readonly uid: number; readonly gid: number } | undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), 'rtsp-stream-viewer-image-'));
  readonly #stages: Built[] = [];
  readonly #leftOut: string[] = [];
  readonly #ignored: (path: string) => boolean;

  constructor(root: string, user: { readonly uid: number; readonly gid: number } | undefined) {
    this.#root = root;
    this.#user = user;
    this.#ignored = ignoreRules(root);
    chmodSync(this.#folder, 0o755);
    // The Node that runs the tests, under the name that the steps call it by.
    mkdirSync(join(this.#folder, 'bin'));
    symlinkSync(process.execPath, join(this.#folder, 'bin', 'node'));
    this.#makeHome();
  }

  /** npm's cache goes there; where it finds its registry is the developer's own setting. */
  #makeHome(): void {
    const home = this.scratch('home');
    const settings = join(homedir(), '.npmrc');
    if (!existsSync(settings)) return;
    copyFileSync(settings, join(home, '.npmrc'));
    if (this.#user) chownSync(join(home, '.npmrc'), this.#user.uid, this.#user.gid);
  }

  scratch(name: string): string {
    const folder = join(this.#folder, name);
    mkdirSync(folder, { recursive: true });
    if (this.#user) chownSync(folder, this.#user.uid, this.#user.gid);
    return folder;
  }

  async run(stage: Stage): Promise<void> {
    const folder = this.scratch(`stage-${this.#stages.length}`);
    const built: Built = { stage, folder, workdir: folder, env: {} };
    this.#stages.push(built);
    for (const step of stage.instructions) {
      if (step.keyword === 'WORKDIR')
        built.workdir = this.scratch(relative(this.#folder, join(folder, step.text)));
      else if (step.keyword === 'ENV') Object.assign(built.env, Object.fromEntries(pairsOf(step)));
      else if (step.keyword === 'COPY') this.#copy(built, step);
      else if (step.keyword === 'RUN') await this.#execute(built, step);
    }
  }

  #copy(built: Built, step: Instruction): void {
    const { sources, to } = copyOf(step);
    const from = step.flags.get('from');
    const other = this.#stages.find(({ stage }) => from !== undefined && stage.name === from);
    if (other && sources.some((source) => !existsSync(join(other.folder, source)) || source === '/'))
      return void this.#leftOut.push(`${step.line} COPY`);
    const target = to.startsWith('/') ? join(built.folder, to) : join(built.workdir, to);
    const base = other?.folder ?? this.#root;
    for (const source of sources.flatMap((each) =>
      /[*?[]/.test(each) ? globSync(each, { cwd: base }) : [each],
    )) {
      const isFolder = statSync(join(base, source)).isDirectory();
      cpSync(join(base, source), isFolder || !to.endsWith('/') ? target : join(target, basename(source)), {
        recursive: true,
        verbatimSymlinks: true,
        filter: (path) => other !== undefined || !this.#ignored(posixPath(relative(this.#root, path))),
      });
    }
    if (this.#user) this.#own(target);
  }

  #own(path: string): void {
    const { uid, gid } = this.#user!;
    lchownSync(path, uid, gid);
    for (const entry of readdirSync(path, { recursive: true, encoding: 'utf8' }))
      lchownSync(join(path, entry), uid, gid);
  }

  async #execute(built: Built, step: Instruction): Promise<void> {
    if (/(^|\s)\/\w/.test(step.text)) return void this.#leftOut.push(`${step.line} RUN`);
    const child = spawn('sh', ['-c', step.text], {
      cwd: built.workdir,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...waysOut,
        ...built.env,
        HOME: join(this.#folder, 'home'),
        PATH: `${join(this.#folder, 'bin')}:${process.env.PATH}`,
      },
      ...this.#user,
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk;
      });
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(`Dockerfile:${step.line} ended with ${code}:\n${output}`);
  }

  /** The last stage, which its own user may only read. */
  result(): BuiltImage {
    const { folder, workdir, env, stage } = this.#stages.at(-1)!;
    if (this.#user) execFileSync('chown', ['--recursive', '--no-dereference', '0:0', folder]);
    execFileSync('chmod', ['--recursive', 'a-w,a+rX', folder]);
    const last = (keyword: string) =>
      stage.instructions.findLast((step) => step.keyword === keyword)?.words ?? [];
    return {
      folder,
      workdir,
      env,
      command: last('CMD'),
      healthcheck: last('HEALTHCHECK'),
      user: this.#user,
      leftOut: this.#leftOut,
      scratch: (name) => this.scratch(name),
      remove: () => this.remove(),
    };
  }

  remove(): void {
    if (!this.#user) execFileSync('chmod', ['--recursive', 'u+w', this.#folder]);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

const posixPath = (path: string) => posix.normalize(path.replaceAll('\\', '/'));
