// Commands for cameras of a simulator in another process, and their carrying-out on this side.
// The messages are declared once for main.ts and fork.ts; both sides speak nothing else.

import type { AuthScheme } from './access.ts';
import { type AudioOptions, soundClip } from './audio.ts';
import type { Behaviour } from './behaviour.ts';
import type { CameraStats, SentFrame, SimulatedCamera } from './camera.ts';
import type { Clip } from './clip.ts';
import { type ClipOptions, sceneClip } from './clips.ts';
import { type Simulator, startSimulator } from './server.ts';
import type { SessionSpan } from './session-log.ts';

/** A camera, described so that it can be sent to another process: the clip itself or how to make it. */
export interface CameraSpec {
  readonly path: string;
  readonly clip?: ClipOptions | Clip;
  /** The camera's sound; none without it. */
  readonly audio?: AudioOptions;
  readonly auth?: AuthScheme;
  readonly username?: string;
  readonly password?: string;
  readonly behaviour?: Partial<Behaviour>;
}

export interface SimulatorSpec {
  readonly cameras: readonly CameraSpec[];
  readonly host?: string;
  readonly port?: number;
  readonly tls?: { readonly key: string; readonly cert: string };
}

/** What can be asked of a camera from afar; see `SimulatedCamera` for what each does. */
export interface CameraControl {
  die(how?: 'reset' | 'fin'): Promise<void>;
  comeBack(): Promise<void>;
  stall(): Promise<void>;
  resume(): Promise<void>;
  goSilent(): Promise<void>;
  refuse(status: number | null): Promise<void>;
  behave(changes: Partial<Behaviour>): Promise<void>;
  dropSessions(how: 'reset' | 'fin'): Promise<void>;
  bye(): Promise<void>;
  renewNonce(): Promise<void>;
  switchClip(clip: ClipOptions | Clip): Promise<void>;
  stats(): Promise<CameraStats>;
  sessionSpans(): Promise<SessionSpan[]>;
  /** By frame of the clip: `SentFrame.sentAt` of the last time, 0 when not sent yet. */
  sentTimes(): Promise<Float64Array>;
}

export type CallName = keyof CameraControl;

export type ToSimulator =
  | { readonly type: 'start'; readonly id: number; readonly spec: SimulatorSpec }
  | {
      readonly type: 'call';
      readonly id: number;
      readonly path: string;
      readonly name: CallName;
      readonly args: readonly unknown[];
    }
  /** From now on a `frame` message for every unit of this camera. */
  | { readonly type: 'watch'; readonly id: number; readonly path: string }
  | { readonly type: 'close'; readonly id: number };

export type FromSimulator =
  | { readonly type: 'reply'; readonly id: number; readonly result: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly message: string }
  | { readonly type: 'frame'; readonly path: string; readonly frame: SentFrame };

export async function makeClip(clip: ClipOptions | Clip = {}): Promise<Clip> {
  return 'accessUnits' in clip ? clip : sceneClip(clip);
}

/** Starts a simulator from its description; equal clips are made once. */
export async function startFromSpec(spec: SimulatorSpec): Promise<Simulator> {
  const cameras = await Promise.all(
    spec.cameras.map(async ({ clip, audio, ...camera }) => ({
      ...camera,
      clip: await makeClip(clip),
      ...(audio && { audio: await soundClip(audio) }),
    })),
  );
  return startSimulator({ ...spec, cameras });
}

/** A camera of this process behind the interface that one of another process has. */
export function controlOf(camera: SimulatedCamera): CameraControl {
  return {
    die: (how) => camera.die(how),
    comeBack: () => camera.comeBack(),
    stall: async () => camera.stall(),
    resume: async () => camera.resume(),
    goSilent: async () => camera.goSilent(),
    refuse: async (status) => camera.refuse(status),
    behave: async (changes) => camera.behave(changes),
    dropSessions: async (how) => camera.dropSessions(how),
    bye: async () => camera.bye(),
    renewNonce: async () => camera.renewNonce(),
    switchClip: async (clip) => camera.switchClip(await makeClip(clip)),
    stats: async () => camera.stats,
    sessionSpans: async () => camera.sessionLog.spans(),
    sentTimes: async () => camera.sentTimes(),
  };
}

/** @throws Error when there is no such command. */
export async function perform(
  simulator: Simulator,
  path: string,
  name: CallName,
  args: readonly unknown[],
): Promise<unknown> {
  const control = controlOf(simulator.camera(path));
  if (!Object.hasOwn(control, name)) throw new Error(`A camera has no command "${name}".`);
  // The types were checked where the call was written; over standard input, whoever types is on their own.
  return (control[name] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
}
