// What pages outside of this one import as `/live-player.js`: the player without any framework.

export type { CameraStatus, ServerMessage, Step } from './messages.ts';
export { LivePlayer, type LivePlayerOptions } from './player.ts';
export type { LiveCode, LiveKind, LiveState, LiveStats } from './state.ts';
