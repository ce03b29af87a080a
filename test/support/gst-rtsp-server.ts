// A real RTSP server that is not ours: GStreamer's gst-rtsp-server from Debian, started in its own process.
// Knows how to start, ask and stop it; what it serves is made in gst-rtsp-server.py; nothing of the service here.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemPython } from './components.ts';

/** One endless camera: a clip file, or without `file` a made test picture. */
export interface GstCamera {
  /** As in `/sign`. */
  readonly path: string;
  readonly codec: 'h264' | 'h265';
  /** A video file; its own H.264/H.265 stream is sent untouched unless `reencode`. */
  readonly file?: string;
  /** Decode the file and encode it as `codec`: needed when the file holds another codec. */
  readonly reencode?: boolean;
  /** A tone of 1 kHz beside the picture; none without it. */
  readonly audio?: 'aac' | 'aac-latm' | 'opus' | 'pcmu' | 'pcma' | 'l16';
  /** What the server lets a client choose; default both. */
  readonly transport?: 'tcp' | 'udp' | 'any';
  /** Of the made picture: size in pixels (default 320×240), frames a second (15), frames between keyframes (2 s). */
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly keyframeEvery?: number;
}

export interface GstServerOptions {
  readonly cameras: readonly GstCamera[];
  /** Digest sign-in for every path. */
  readonly user?: string;
  readonly password?: string;
}

export interface GstServer {
  readonly pid: number;
  readonly port: number;
  /** The address of a path, with the sign-in when there is one. */
  url(path: string): string;
  stop(): Promise<void>;
}

const script = fileURLToPath(new URL('./gst-rtsp-server.py', import.meta.url));

/**
 * Encodes what the cameras send, then listens on a free port of the loopback interface.
 * The process ends with this one, however this one ends.
 *
 * @throws Error with the server's own words when a file cannot be read or encoded, or nothing listens within 60 s.
 */
export async function startGstServer(options: GstServerOptions): Promise<GstServer> {
  const child = spawn(systemPython, [script, JSON.stringify(options)], { stdio: ['pipe', 'pipe', 'pipe'] });
  const port = await listening(child);
  const credentials =
    options.user === undefined
      ? ''
      : `${encodeURIComponent(options.user)}:${encodeURIComponent(options.password ?? '')}@`;
  return {
    pid: child.pid!,
    port,
    url: (path) => `rtsp://${credentials}127.0.0.1:${port}${path}`,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      // It holds nothing worth an orderly end, and can hang in one when many clients were cut off at once.
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function listening(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let words = '';
    const fail = (reason: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`gst-rtsp-server: ${reason}${words === '' ? '' : `\n${words}`}`));
    };
    const timer = setTimeout(() => fail('does not listen after 60 s'), 60_000);
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(-4000);
    });
    child.on('error', (error) => fail(error.message));
    child.on('exit', (code, signal) => fail(`ended (${signal ?? code})`));
    createInterface(child.stdout!).once('line', (line) => {
      clearTimeout(timer);
      child.removeAllListeners('exit');
      resolve((JSON.parse(line) as { port: number }).port);
    });
  });
}
