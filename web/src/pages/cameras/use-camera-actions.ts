// What can be done to a camera at once: start, stop, pause and resume its face detection; with a word when it is done, and the way back.

import { sentenceOf } from '../../api/errors.ts';
import { useStreamAction } from '../../api/mutations.ts';
import type { Stream, StreamAction } from '../../api/types.ts';
import { text } from '../../text.ts';
import { toast } from '../../ui/toast.tsx';

const opposite: Record<StreamAction, StreamAction> = {
  start: 'stop',
  stop: 'start',
  pause: 'resume',
  resume: 'pause',
};

const done: Record<StreamAction, (name: string) => string> = {
  start: text.camera.started,
  stop: text.camera.stoppedNow,
  pause: text.camera.detectionPaused,
  resume: text.camera.detectionResumed,
};

export interface CameraActions {
  readonly busy: boolean;
  readonly start: () => void;
  readonly stop: () => void;
  readonly pause: () => void;
  readonly resume: () => void;
}

export function useCameraActions({ id, name }: Stream): CameraActions {
  const { mutate, isPending } = useStreamAction();
  const act = (action: StreamAction, undoable: boolean) =>
    mutate(
      { id, action },
      {
        onError: (error) => toast.failed(sentenceOf(error)),
        onSuccess: () =>
          toast.done(
            done[action](name),
            undoable ? { label: text.camera.undo, onSelect: () => act(opposite[action], false) } : undefined,
          ),
      },
    );
  return {
    busy: isPending,
    start: () => act('start', false),
    stop: () => act('stop', true),
    pause: () => act('pause', true),
    resume: () => act('resume', false),
  };
}
