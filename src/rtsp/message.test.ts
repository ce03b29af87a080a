import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type RtspEvent,
  RtspHeaders,
  RtspParser,
  RtspSyntaxError,
  rtspLimits,
  serializeRequest,
  serializeResponse,
  writeInterleavedHeader,
} from './message.ts';

function frame(channel: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + payload.length);
  writeInterleavedHeader(bytes, 0, channel, payload.length);
  bytes.set(payload, 4);
  return bytes;
}

/** Comparable and independent of the parser's buffers. */
function describeEvent(event: RtspEvent): string {
  if (event.kind === 'interleaved') return `$${event.channel} ${Buffer.from(event.data).toString('hex')}`;
  const head = event.kind === 'request' ? `${event.method} ${event.uri}` : `${event.status} ${event.reason}`;
  return `${head} ${JSON.stringify([...event.headers])} ${Buffer.from(event.body).toString('latin1')}`;
}

function parse(chunks: readonly Uint8Array[], parser = new RtspParser()): string[] {
  const events: string[] = [];
  for (const chunk of chunks) parser.push(chunk, (event) => events.push(describeEvent(event)));
  return events;
}

function split(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const end = at + (sizes[i % sizes.length] ?? bytes.length);
    chunks.push(bytes.subarray(at, end));
    at = end;
  }
  return chunks;
}

const rtpPayload = fc.uint8Array({ minLength: 5, maxLength: 3000 }).map((bytes) => {
  bytes[0] = 0x80 | (bytes[0]! & 0x3f);
  return bytes;
});
const ok = serializeResponse({ status: 200, headers: { CSeq: '1', Session: 'a b' }, body: 'v=0\r\n' });

describe('RTSP parser', () => {
  it('reads messages and frames whatever the pieces they arrive in', () => {
    const item = fc.oneof(
      fc
        .record({ channel: fc.integer({ min: 0, max: 3 }), payload: rtpPayload })
        .map((f) => frame(f.channel, f.payload)),
      fc.constant(ok),
      fc.constant(serializeRequest({ method: 'GET_PARAMETER', uri: 'rtsp://h/a', headers: { CSeq: '7' } })),
      fc.constant(Buffer.from('\r\n')),
    );
    fc.assert(
      fc.property(
        fc.array(item, { minLength: 1, maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 1500 }), { minLength: 1, maxLength: 10 }),
        (items, sizes) => {
          const bytes = Buffer.concat(items);
          const whole = items.flatMap((part) => parse([part]));
          expect(parse(split(bytes, sizes))).toEqual(whole);
          expect(parse([bytes])).toEqual(whole);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('finds headers in any case and keeps several of one name', () => {
    const text =
      'RTSP/1.0 401 Unauthorized\ncseq: 2\nWWW-Authenticate: Digest a="b"\nwww-authenticate: Basic\n folded\nnonsense\n\n';
    new RtspParser().push(Buffer.from(text), (event) => {
      if (event.kind !== 'response') throw new Error('not a response');
      expect(event.status).toBe(401);
      expect(event.headers.get('CSeq')).toBe('2');
      expect(event.headers.getAll('WWW-AUTHENTICATE')).toEqual(['Digest a="b"', 'Basic folded']);
    });
    expect.assertions(3);
  });

  it('goes on after garbage between frames', () => {
    fc.assert(
      fc.property(
        fc
          .uint8Array({ minLength: 1, maxLength: 600 })
          .map((bytes) => bytes.map((b) => (b === 0x24 ? 0x25 : b))),
        rtpPayload,
        fc.integer({ min: 1, max: 700 }),
        (garbage, payload, size) => {
          // A line that reads as the beginning of a message may swallow what follows up to its end.
          fc.pre(!/[A-Z_]{3,} |RTSP\//.test(Buffer.from(garbage).toString('latin1')));
          const parser = new RtspParser();
          parse([ok], parser);
          parser.expectChannels(new Set([0, 1]));
          const bytes = Buffer.concat([frame(0, payload), garbage, frame(1, payload), frame(0, payload)]);
          const hex = Buffer.from(payload).toString('hex');
          const events = parse(split(bytes, [size]), parser);
          expect(events.slice(-2)).toEqual([`$1 ${hex}`, `$0 ${hex}`]);
        },
      ),
    );
  });

  it('skips a dollar sign in garbage that begins no expected frame', () => {
    const parser = new RtspParser();
    parse([ok], parser);
    parser.expectChannels(new Set([0]));
    const good = frame(0, Uint8Array.of(0x80, 1, 2, 3, 4));
    const bytes = Buffer.concat([Buffer.from('$$$\x09\x00\x24\x00\x00'), good, good]);
    expect(parse(split(bytes, [1]), parser)).toContain('$0 8001020304');
  });

  it.each([
    ['an HTTP server', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'not_rtsp'],
    ['an SSH server', 'SSH-2.0-OpenSSH_9.6\r\n', 'not_rtsp'],
    ['binary noise', '\x00\x01\x02', 'not_rtsp'],
    ['a SIP answer', 'SIP/2.0 200 OK\r\n\r\n', 'not_rtsp'],
    ['a method alone', 'HELLO WORLD\r\n', 'not_rtsp'],
    ['an endless line', `RTSP/1.0 200 ${'x'.repeat(rtspLimits.line)}`, 'not_rtsp'],
    ['an endless header', `RTSP/1.0 200 OK\r\nA: ${'x'.repeat(rtspLimits.line)}`, 'too_large'],
    ['too many headers', `RTSP/1.0 200 OK\r\n${'A: b\r\n'.repeat(101)}`, 'too_large'],
    ['headers over 64 KiB', `RTSP/1.0 200 OK\r\n${`A: ${'x'.repeat(8000)}\r\n`.repeat(9)}`, 'too_large'],
    ['a body of 1 MiB', 'RTSP/1.0 200 OK\r\nContent-Length: 1048576\r\n\r\n', 'too_large'],
    ['a negative length', 'RTSP/1.0 200 OK\r\nContent-Length: -1\r\n\r\n', 'protocol'],
  ])('refuses %s', (_what, text, reason) => {
    for (const size of [1, 1000, text.length]) {
      const parser = new RtspParser();
      let failure: unknown;
      try {
        parse(split(Buffer.from(text, 'latin1'), [size]), parser);
      } catch (error) {
        failure = error;
      }
      expect(failure).toBeInstanceOf(RtspSyntaxError);
      expect((failure as RtspSyntaxError).reason).toBe(reason);
      expect(parser.retained).toBeLessThan(100_000);
    }
  });

  it('gives up on a peer that sends garbage without end', () => {
    const parser = new RtspParser();
    parse([ok], parser);
    const noise = new Uint8Array(65_536);
    expect(() => {
      for (let i = 0; i < 20; i++) parser.push(noise, () => {});
    }).toThrow(RtspSyntaxError);
  });
});

describe('RTSP messages', () => {
  it('never let a line break into a header', () => {
    const headers = { CSeq: '1', Evil: 'a\r\nSession: 1' };
    expect(() => serializeRequest({ method: 'PLAY', uri: '*', headers })).toThrow(RangeError);
    expect(() => serializeRequest({ method: 'PLAY', uri: 'rtsp://a\r\nB: c' })).toThrow(RangeError);
    expect(() => serializeResponse({ status: 200, headers })).toThrow(RangeError);
  });

  it('carry the length of their body', () => {
    expect(ok.toString()).toBe(
      'RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: a b\r\nContent-Length: 5\r\n\r\nv=0\r\n',
    );
    const headers = RtspHeaders.of({ a: '1', b: undefined });
    headers.set('A', '2');
    expect([...headers]).toEqual([['A', '2']]);
  });
});
