// Trying a camera's address before it is saved: one attempt at a time; a new one, or leaving, gives up the one before.

import { useEffect, useRef, useState } from 'react';
import { useCheckCamera } from '../../api/mutations.ts';
import type { CameraCheck } from '../../api/types.ts';

export type TestState =
  | { readonly step: 'idle' }
  | { readonly step: 'running'; readonly address: string }
  | { readonly step: 'found'; readonly address: string; readonly check: CameraCheck }
  /** The service did not try: the address cannot be one, or it is asked too often. */
  | { readonly step: 'refused'; readonly address: string; readonly error: unknown };

export interface ConnectionTest {
  readonly state: TestState;
  /** @param streamId the saved camera whose password is meant by ****. */
  readonly run: (address: string, streamId: string | undefined) => Promise<void>;
}

export function useConnectionTest(): ConnectionTest {
  const { mutateAsync } = useCheckCamera();
  const [state, setState] = useState<TestState>({ step: 'idle' });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  async function run(address: string, streamId: string | undefined): Promise<void> {
    running.current?.abort();
    const attempt = new AbortController();
    running.current = attempt;
    setState({ step: 'running', address });
    try {
      const check = await mutateAsync({
        rtsp_url: address,
        stream_id: streamId ?? null,
        signal: attempt.signal,
      });
      if (!attempt.signal.aborted) setState({ step: 'found', address, check });
    } catch (error) {
      if (!attempt.signal.aborted) setState({ step: 'refused', address, error });
    }
  }
  return { state, run };
}
