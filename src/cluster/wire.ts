// The bytes of a message between instances: a version, a JSON header, and whatever is not JSON beside it.
// Encoding and decoding only; channels, and what a header means, are the bus's and the relay's.

/**
 * ```
 * u8   major version (1)
 * u32  length of the header in bytes, big-endian
 * …    header: a JSON object in UTF-8
 * …    payload, to the end
 * ```
 * Members may be added to a header within a major version: a reader ignores those that it does not know.
 */
export interface WireMessage {
  readonly header: Readonly<Record<string, unknown>>;
  /** Bytes of its own: keeping them keeps nothing else alive. */
  readonly payload: Uint8Array;
}

/** What arrived is no message of this version. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

const majorVersion = 1;
const prefixBytes = 5;
/** Longer headers are nothing that this service sends. */
const maxHeaderBytes = 8 * 1024 * 1024;
export const noBytes: Uint8Array = new Uint8Array(0);

export function encodeMessage(header: object, payload: Uint8Array = noBytes): Buffer {
  const text = JSON.stringify(header);
  const headerBytes = Buffer.byteLength(text);
  const frame = Buffer.allocUnsafe(prefixBytes + headerBytes + payload.byteLength);
  frame[0] = majorVersion;
  frame.writeUInt32BE(headerBytes, 1);
  frame.write(text, prefixBytes, 'utf8');
  frame.set(payload, prefixBytes + headerBytes);
  return frame;
}

/** @throws WireError, and nothing else. */
export function decodeMessage(frame: Buffer): WireMessage {
  if (frame.byteLength < prefixBytes) throw new WireError('shorter than any message');
  if (frame[0] !== majorVersion) throw new WireError(`of version ${frame[0]}, which is not understood here`);
  const end = prefixBytes + frame.readUInt32BE(1);
  if (end > frame.byteLength || end > maxHeaderBytes)
    throw new WireError('its header is longer than the message');
  const header = parsed(frame.toString('utf8', prefixBytes, end));
  if (typeof header !== 'object' || header === null || Array.isArray(header))
    throw new WireError('its header is no object');
  return { header: header as Record<string, unknown>, payload: ownBytes(frame, end) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new WireError('its header is no JSON', { cause: error });
  }
}

/**
 * A frame may be a small part of what was read from the socket in one go: pictures and units, which are kept, would
 * keep all of that.
 */
function ownBytes(frame: Buffer, start: number): Uint8Array {
  if (start === frame.byteLength) return noBytes;
  const payload = frame.subarray(start);
  return payload.buffer.byteLength > 2 * payload.byteLength ? new Uint8Array(payload) : payload;
}
