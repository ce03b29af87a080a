// Adding a camera, and changing one: its address, tried before it is saved if wanted, its name, and how faces are looked for.
// What is wrong with a value is said by the service.

import { useState } from 'react';
import { formErrorOf, issueOf } from '../../api/errors.ts';
import { useChangeStream, useCreateStream } from '../../api/mutations.ts';
import type { NewStream, Stream, StreamChange } from '../../api/types.ts';
import { formatPercent } from '../../format.ts';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { Checkbox, Input, TextArea } from '../../ui/controls.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, FormError } from '../../ui/field.tsx';
import { toast } from '../../ui/toast.tsx';
import { ConnectionTestView } from './connection-test.tsx';
import { ThresholdSlider } from './threshold-slider.tsx';
import { useConnectionTest } from './use-connection-test.ts';

const words = text.cameras;
const fields = ['name', 'rtsp_url', 'description', 'detection_url', 'confidence_threshold'];

type Values = Required<Pick<NewStream, 'name' | 'rtsp_url'>> & {
  readonly description: string;
  readonly detection_url: string;
  readonly detection_enabled: boolean;
  readonly confidence_threshold: number;
};

function valuesOf(stream: Stream | undefined): Values {
  return {
    name: stream?.name ?? '',
    rtsp_url: stream?.rtsp_url ?? '',
    description: stream?.description ?? '',
    detection_url: stream?.detection_url ?? '',
    detection_enabled: stream?.detection_enabled ?? true,
    confidence_threshold: stream?.confidence_threshold ?? 0.8,
  };
}

/** Only what was changed: what somebody else has changed meanwhile stays. */
function changesOf(before: Values, after: Values): StreamChange {
  const changed = Object.entries(after).filter(([name, value]) => value !== before[name as keyof Values]);
  return Object.fromEntries(changed);
}

function useSave(stream: Stream | undefined, onSaved: () => void) {
  const create = useCreateStream();
  const change = useChangeStream();
  const { isPending, error } = stream ? change : create;
  function save(before: Values, after: Values) {
    if (!stream) {
      const onSuccess = ({ name }: { name: string }) => {
        toast.done(words.added(name));
        onSaved();
      };
      create.mutate(after, { onSuccess });
      return;
    }
    const changes = changesOf(before, after);
    if (Object.keys(changes).length === 0) onSaved();
    else
      change.mutate(
        { id: stream.id, ...changes },
        {
          onSuccess: () => {
            toast.done(words.saved(after.name));
            onSaved();
          },
        },
      );
  }
  return { save, isPending, error };
}

export interface CameraFormProps {
  /** Absent for a new one. */
  readonly stream?: Stream;
  readonly onClose: () => void;
}

export function CameraForm({ stream, onClose }: CameraFormProps) {
  const [before] = useState(() => valuesOf(stream));
  const [values, setValues] = useState(before);
  const { save, isPending, error } = useSave(stream, onClose);
  const test = useConnectionTest();
  const set = (change: Partial<Values>) => setValues((now) => ({ ...now, ...change }));
  const { state } = test;
  const refused = state.step === 'refused' ? issueOf(state.error, 'rtsp_url') : undefined;
  const stale = 'address' in state && state.step !== 'running' && state.address !== values.rtsp_url;
  const masked = before.rtsp_url.includes('****') && values.rtsp_url.includes('****');

  return (
    <Dialog
      title={stream ? words.editTitle(stream.name) : words.addTitle}
      width="lg"
      dismissible={!isPending}
      onClose={onClose}
      onSubmit={() => save(before, values)}
      footer={
        <>
          <Button onClick={onClose}>{text.ui.cancel}</Button>
          <Button type="submit" tone="primary" busy={isPending}>
            {stream ? words.save : words.add}
          </Button>
        </>
      }
    >
      <div className="grid gap-x-7 gap-y-4 md:grid-cols-[minmax(0,1fr)_minmax(0,20rem)] md:grid-rows-[auto_1fr]">
        <Field
          label={words.address}
          hint={masked ? words.addressMasked : words.addressHint}
          error={issueOf(error, 'rtsp_url') ?? (stale ? undefined : refused)}
        >
          {(control) => (
            <Input
              {...control}
              value={values.rtsp_url}
              placeholder={words.addressExample}
              spellCheck={false}
              autoCapitalize="none"
              autoComplete="off"
              inputMode="url"
              className="font-mono text-sm"
              onChange={(event) => set({ rtsp_url: event.target.value })}
            />
          )}
        </Field>
        <div className="md:col-start-2 md:row-span-2 md:row-start-1">
          <ConnectionTestView
            test={test}
            stale={stale}
            onTest={() => void test.run(values.rtsp_url, stream?.id)}
          />
        </div>
        <div className="flex flex-col gap-4">
          <Field label={words.name} error={issueOf(error, 'name')}>
            {(control) => (
              <Input
                {...control}
                value={values.name}
                placeholder={words.namePlaceholder}
                autoComplete="off"
                maxLength={100}
                onChange={(event) => set({ name: event.target.value })}
              />
            )}
          </Field>
          <Checkbox
            checked={values.detection_enabled}
            label={words.detection}
            hint={words.detectionHint}
            onChange={(detection_enabled) => set({ detection_enabled })}
          />
          {values.detection_enabled && (
            <Field
              label={words.threshold}
              hint={words.thresholdHint}
              error={issueOf(error, 'confidence_threshold')}
              aside={
                <span className="tabular font-medium text-sm">
                  {formatPercent(values.confidence_threshold)}
                </span>
              }
            >
              {(control) => (
                <ThresholdSlider
                  {...control}
                  value={values.confidence_threshold}
                  onChange={(confidence_threshold) => set({ confidence_threshold })}
                />
              )}
            </Field>
          )}
          <details open={before.detection_url !== '' || before.description !== ''}>
            <summary className="w-fit rounded-sm py-1 font-medium text-ink-soft text-sm hover:text-ink">
              {words.more}
            </summary>
            <div className="flex flex-col gap-4 pt-3">
              <Field
                label={words.subStream}
                hint={words.subStreamHint}
                error={issueOf(error, 'detection_url')}
              >
                {(control) => (
                  <Input
                    {...control}
                    value={values.detection_url}
                    spellCheck={false}
                    autoCapitalize="none"
                    autoComplete="off"
                    inputMode="url"
                    className="font-mono text-sm"
                    onChange={(event) => set({ detection_url: event.target.value })}
                  />
                )}
              </Field>
              <Field label={words.note} hint={words.noteHint} error={issueOf(error, 'description')}>
                {(control) => (
                  <TextArea
                    {...control}
                    rows={2}
                    maxLength={2000}
                    value={values.description}
                    onChange={(event) => set({ description: event.target.value })}
                  />
                )}
              </Field>
            </div>
          </details>
          <FormError>{formErrorOf(error, fields)}</FormError>
        </div>
      </div>
    </Dialog>
  );
}
