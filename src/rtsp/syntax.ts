// What a peer may send at most, and the error for a byte stream that cannot be read.
// Reading is parser.ts's work.

/** In bytes unless a name says otherwise. */
export const rtspLimits = {
  line: 8 * 1024,
  headerCount: 100,
  headerBytes: 64 * 1024,
  body: 256 * 1024,
  /** Between two readable things; beyond it the connection is given up. */
  garbage: 1024 * 1024,
} as const;

export type RtspSyntaxReason = 'not_rtsp' | 'too_large' | 'protocol';

/** The byte stream cannot be read any further; the connection must be closed. */
export class RtspSyntaxError extends Error {
  override readonly name = 'RtspSyntaxError';
  readonly reason: RtspSyntaxReason;

  constructor(reason: RtspSyntaxReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
