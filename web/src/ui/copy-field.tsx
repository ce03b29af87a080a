// A text to be copied: shown whole, with a button. Where the browser does not allow copying, the text is selected.

import { Check, Copy } from 'lucide-react';
import { useEffect, useId, useRef, useState } from 'react';
import { text } from '../text.ts';
import { Button } from './button.tsx';

const copiedMs = 2_500;

export interface CopyFieldProps {
  readonly label: string;
  readonly value: string;
  /** Said where copying is refused. */
  readonly failure: string;
}

export function CopyField({ label, value, failure }: CopyFieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle');

  useEffect(() => {
    if (state !== 'copied') return;
    const timer = setTimeout(() => setState('idle'), copiedMs);
    return () => clearTimeout(timer);
  }, [state]);

  async function copy() {
    input.current?.select();
    try {
      // Absent on pages opened by plain http.
      if (!navigator.clipboard) throw new DOMException('no clipboard', 'NotAllowedError');
      await navigator.clipboard.writeText(value);
      setState('copied');
    } catch (error) {
      if (!(error instanceof DOMException)) throw error;
      setState('failed');
    }
  }

  return (
    <div className="flex flex-col gap-1.5">
      <label htmlFor={id} className="font-medium text-sm">
        {label}
      </label>
      <div className="flex gap-2">
        <input
          ref={input}
          id={id}
          readOnly
          value={value}
          className="field font-mono"
          onFocus={() => input.current?.select()}
        />
        <Button tone="primary" icon={state === 'copied' ? Check : Copy} onClick={copy}>
          {state === 'copied' ? text.ui.copied : text.ui.copy}
        </Button>
      </div>
      <p role="status" className="min-h-5 text-ink-soft text-sm">
        {state === 'failed' ? (
          failure
        ) : state === 'copied' ? (
          <span className="sr-only">{text.ui.copied}</span>
        ) : (
          ''
        )}
      </p>
    </div>
  );
}
