// An element over the whole screen, and whether it is.

import { type RefObject, useCallback, useEffect, useState } from 'react';
import { text } from '../../text.ts';
import { toast } from '../../ui/toast.tsx';

export interface FullScreen {
  readonly on: boolean;
  /** Phones of one maker cannot. */
  readonly possible: boolean;
  readonly toggle: () => void;
}

export function useFullScreen(ref: RefObject<HTMLElement | null>): FullScreen {
  const [on, setOn] = useState(false);
  useEffect(() => {
    const onChange = () =>
      setOn(document.fullscreenElement !== null && document.fullscreenElement === ref.current);
    document.addEventListener('fullscreenchange', onChange);
    return () => document.removeEventListener('fullscreenchange', onChange);
  }, [ref]);
  const toggle = useCallback(() => {
    const change = document.fullscreenElement ? document.exitFullscreen() : ref.current?.requestFullscreen();
    // Browsers refuse it without a key or click just before.
    change?.catch(() => toast.failed(text.wall.fullScreenRefused));
  }, [ref]);
  return { on, possible: document.fullscreenEnabled, toggle };
}
