// The Transport header (RFC 2326 §12.39): parsed leniently, written strictly.
// Choosing a transport is the client's or the server's business.

export interface TransportSpec {
  readonly lower: 'tcp' | 'udp';
  readonly multicast: boolean;
  /** Channels of RTP and RTCP on the RTSP connection. */
  readonly interleaved: readonly [rtp: number, rtcp: number] | null;
  readonly clientPort: readonly [rtp: number, rtcp: number] | null;
  readonly serverPort: readonly [rtp: number, rtcp: number] | null;
  readonly ssrc: number | null;
  readonly source: string | null;
  readonly destination: string | null;
}

export const noTransport: TransportSpec = {
  lower: 'udp',
  multicast: false,
  interleaved: null,
  clientPort: null,
  serverPort: null,
  ssrc: null,
  source: null,
  destination: null,
};

/** `5000-5001`, or `5000` alone: the second is then one higher. */
function parsePair(
  text: string | undefined,
  lowest: number,
  highest: number,
): readonly [number, number] | null {
  const match = /^\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*$/.exec(text ?? '');
  if (!match) return null;
  const first = Number(match[1]);
  const second = match[2] === undefined ? first + 1 : Number(match[2]);
  return Math.min(first, second) >= lowest && Math.max(first, second) <= highest ? [first, second] : null;
}

function parseSsrc(text: string | undefined): number | null {
  return text !== undefined && /^\s*[0-9a-f]{1,8}\s*$/i.test(text) ? Number.parseInt(text, 16) : null;
}

function parseOne(text: string): TransportSpec | null {
  const [protocol = '', ...parts] = text.split(';').map((part) => part.trim());
  const match = /^RTP\/S?AVPF?(?:\/(TCP|UDP))?$/i.exec(protocol);
  if (!match) return null;
  const values = new Map<string, string>();
  for (const part of parts) {
    const equals = part.indexOf('=');
    const name = (equals === -1 ? part : part.slice(0, equals)).trim().toLowerCase();
    values.set(name, equals === -1 ? '' : part.slice(equals + 1).trim());
  }
  return {
    lower: match[1]?.toUpperCase() === 'TCP' ? 'tcp' : 'udp',
    multicast: values.has('multicast'),
    interleaved: parsePair(values.get('interleaved'), 0, 255),
    clientPort: parsePair(values.get('client_port'), 1, 65_535),
    serverPort: parsePair(values.get('server_port'), 1, 65_535),
    ssrc: parseSsrc(values.get('ssrc')),
    source: values.get('source') || null,
    destination: values.get('destination') || null,
  };
}

/** The alternatives in order of preference; those that are not RTP are left out. */
export function parseTransport(header: string): TransportSpec[] {
  return header
    .split(',', 16)
    .map(parseOne)
    .filter((spec) => spec !== null);
}

export function formatTransport(spec: Partial<TransportSpec> & Pick<TransportSpec, 'lower'>): string {
  const parts = [spec.lower === 'tcp' ? 'RTP/AVP/TCP' : 'RTP/AVP'];
  parts.push(spec.multicast ? 'multicast' : 'unicast');
  if (spec.destination) parts.push(`destination=${spec.destination}`);
  if (spec.source) parts.push(`source=${spec.source}`);
  if (spec.interleaved) parts.push(`interleaved=${spec.interleaved.join('-')}`);
  if (spec.clientPort) parts.push(`client_port=${spec.clientPort.join('-')}`);
  if (spec.serverPort) parts.push(`server_port=${spec.serverPort.join('-')}`);
  if (spec.ssrc != null) parts.push(`ssrc=${spec.ssrc.toString(16).padStart(8, '0').toUpperCase()}`);
  return parts.join(';');
}
