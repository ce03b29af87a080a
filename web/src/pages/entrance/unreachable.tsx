// The service does not answer, and nothing is known of it yet. Tries again by itself.

import { useEffect } from 'react';
import { sentenceOf } from '../../api/errors.ts';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { EntranceCard } from './entrance-frame.tsx';

const againMs = 3_000;

export function Unreachable(props: {
  readonly error: unknown;
  readonly retry: () => unknown;
  readonly busy: boolean;
}) {
  const { error, retry, busy } = props;
  useEffect(() => {
    const timer = setInterval(retry, againMs);
    return () => clearInterval(timer);
  }, [retry]);
  return (
    <EntranceCard title={text.start.unreachableTitle}>
      <p role="alert" className="text-ink-soft">
        {sentenceOf(error)}
      </p>
      <Button onClick={() => retry()} busy={busy}>
        {text.ui.tryAgain}
      </Button>
    </EntranceCard>
  );
}
