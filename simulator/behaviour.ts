// How a simulated camera behaves: one plain object that the server asks at every turn, so that a new fault is
// a new member here and one question there. Nothing is done here.

export interface Behaviour {
  /** Requests are answered. `false` together with `stalled` is a half-open camera. */
  readonly answers: boolean;
  /** Sockets stay, the clock runs on, but no media is sent. */
  readonly stalled: boolean;
  /** The one track that is not sent while the other goes on. */
  readonly withholds: 'nothing' | 'video' | 'audio';
  /** DESCRIBE, SETUP and PLAY are answered with this status. */
  readonly refuse: number | null;
  /** DESCRIBE is answered with 302 and this address. */
  readonly redirectTo: string | null;
  /** The other transport gets 461. */
  readonly transports: 'any' | 'tcp' | 'udp';
  /** Announced, and enforced: a session without any request for so long ends, with its connection. */
  readonly sessionTimeoutSeconds: number;
  /** A 401 for an outdated nonce says `stale=true`. */
  readonly saysStale: boolean;
  /** SDP carries the true parameter sets, none, or ones that fit another video. */
  readonly sdpParameterSets: 'right' | 'omitted' | 'wrong';
  /** SDP lists an audio track before the video; nothing is ever sent on it, unless the camera has sound. */
  readonly audioFirst: boolean;
  /** SDP lists the audio track only. */
  readonly withoutVideo: boolean;
  /** The answer to DESCRIBE comes so slowly; `null` is at once. */
  readonly sdpBytesPerSecond: number | null;
  /** SDP is longer by so many bytes of attributes that nobody knows. */
  readonly sdpPaddingBytes: number;
  readonly senderReports: boolean;
  /** Requests in a session that only keep it alive are answered; they count in any case. */
  readonly answersKeepalives: boolean;
  /** Sent by UDP, but it never arrives: as behind a firewall. */
  readonly udpBlocked: boolean;
  /** Random bytes between interleaved frames, before every so-many-eth unit. */
  readonly garbage: { readonly bytes: number; readonly everyUnits: number } | null;
  /** GET_PARAMETER and SET_PARAMETER are offered. */
  readonly offersGetParameter: boolean;
}

export const goodBehaviour: Behaviour = {
  answers: true,
  stalled: false,
  refuse: null,
  redirectTo: null,
  transports: 'any',
  sessionTimeoutSeconds: 60,
  saysStale: true,
  sdpParameterSets: 'right',
  withholds: 'nothing',
  audioFirst: false,
  withoutVideo: false,
  sdpBytesPerSecond: null,
  sdpPaddingBytes: 0,
  senderReports: true,
  answersKeepalives: true,
  udpBlocked: false,
  garbage: null,
  offersGetParameter: true,
};
