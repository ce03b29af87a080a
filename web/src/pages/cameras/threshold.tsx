// The confidence threshold of a camera, tried on its live picture before it is saved: which faces would count.

import { useCallback, useEffect } from 'react';
import { sentenceOf } from '../../api/errors.ts';
import { useChangeStream } from '../../api/mutations.ts';
import type { Stream } from '../../api/types.ts';
import { formatPercent } from '../../format.ts';
import { useSession } from '../../session.ts';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { toast } from '../../ui/toast.tsx';
import { ThresholdSlider } from './threshold-slider.tsx';

const words = text.cameras;

export interface ThresholdProps {
  readonly stream: Stream;
  /** How sure the detector is of each face in the picture now. */
  readonly faces: readonly number[];
  /** As set here, saved or not. */
  readonly value: number;
  readonly onChange: (value: number) => void;
}

/** What it would mean for those who are in the picture now. */
function sentenceFor({ stream, faces, value }: ThresholdProps): string {
  if (!stream.detection_enabled) return words.previewOff;
  if (stream.status !== 'online') return words.previewCamera;
  if (faces.length === 0) return words.previewNobody;
  return words.previewCounts(faces.filter((confidence) => confidence >= value).length, faces.length);
}

function Legend() {
  return (
    <p className="flex flex-wrap gap-x-5 gap-y-1 text-ink-soft text-sm">
      <span className="flex items-center gap-2">
        <span aria-hidden className="size-3.5 rounded-xs border-2 border-good" />
        {words.legendCounts}
      </span>
      <span className="flex items-center gap-2">
        <span aria-hidden className="size-3.5 rounded-xs border-2 border-warn border-dashed" />
        {words.legendNot}
      </span>
    </p>
  );
}

export function Threshold(props: ThresholdProps) {
  const { stream, value, onChange } = props;
  const { may } = useSession();
  const { mutate, isPending } = useChangeStream();
  const saved = stream.confidence_threshold;
  const save = useCallback(() => {
    mutate(
      { id: stream.id, confidence_threshold: value },
      {
        onSuccess: () => toast.done(words.thresholdSaved),
        onError: (error) => toast.failed(sentenceOf(error)),
      },
    );
  }, [mutate, stream.id, value]);
  // Somebody else, or the dialog, has set it.
  useEffect(() => onChange(saved), [saved, onChange]);

  if (!may('operator'))
    return (
      <p>
        {words.threshold}: <span className="tabular font-medium">{formatPercent(saved)}</span>
      </p>
    );
  return (
    <div className="flex max-w-xl flex-col gap-3">
      <Field
        label={words.threshold}
        hint={words.thresholdHint}
        aside={<span className="tabular font-semibold">{formatPercent(value)}</span>}
      >
        {(control) => <ThresholdSlider {...control} value={value} onChange={onChange} />}
      </Field>
      <p className="min-h-5 font-medium text-sm">{sentenceFor(props)}</p>
      <div className="flex min-h-9 flex-wrap items-center justify-between gap-3">
        <Legend />
        <span className="flex gap-2">
          <Button size="sm" tone="quiet" disabled={value === saved} onClick={() => onChange(saved)}>
            {words.thresholdReset}
          </Button>
          <Button size="sm" tone="primary" disabled={value === saved} busy={isPending} onClick={save}>
            {text.ui.save}
          </Button>
        </span>
      </div>
    </div>
  );
}
