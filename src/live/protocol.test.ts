import { expect, it } from 'vitest';
import { aacOf } from '../media/aac.ts';
import { audioMembers, parseCommand } from './protocol.ts';

const figures = { listeners: 0, units: 0, dropped: 0, errors: 0, transcoding: false };
const subscribe = () => () => undefined;
const audio = aacOf({
  codec: 'pcmu',
  sampleRate: 8000,
  channels: 1,
  config: new Uint8Array(),
  codecString: 'ulaw',
});

it('sound is told with what a decoder is set up by, and as sent only when it is this very sound', () => {
  const source = { audio, unsupported: null, figures, subscribe };
  const told = { codec: 'mp4a.40.2', sample_rate: 48_000, channels: 1, config: 'EYg=' };
  expect(audioMembers(source, null)).toEqual({ audio: { ...told, sent: false } });
  expect(audioMembers(source, { ...audio })).toEqual({ audio: { ...told, sent: true } });
  expect(audioMembers(source, { ...audio, channels: 2 })).toEqual({ audio: { ...told, sent: false } });
});

it('sound that cannot be played is named', () => {
  const source = { audio: null, unsupported: 'G726-32', figures, subscribe };
  expect(audioMembers(source, null)).toEqual({ audio: null, audio_unsupported: 'G726-32' });
});

it('the command audio says on or off, and nothing else', () => {
  const read = (on: unknown) => parseCommand(JSON.stringify({ command: 'audio', on }));
  expect(read(true)).toEqual({ ok: true, message: { command: 'audio', on: true } });
  expect(read('true')).toMatchObject({ ok: false, code: 'invalid_message' });
  expect(read(undefined)).toMatchObject({ ok: false, code: 'invalid_message' });
});
