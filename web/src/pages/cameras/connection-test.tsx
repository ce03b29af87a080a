// What came of trying a camera: its picture and what it sends, or why there is none and what to do.
// Trying is in use-connection-test.ts.

import { Cctv, CircleAlert, CircleCheck, Lightbulb, LoaderCircle } from 'lucide-react';
import type { ReactNode } from 'react';
import { issueOf, sentenceOf } from '../../api/errors.ts';
import type { CameraCheck } from '../../api/types.ts';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { cx } from '../../ui/cx.ts';
import { iconLook } from '../../ui/icon.ts';
import { videoWords } from './camera-status.tsx';
import type { ConnectionTest } from './use-connection-test.ts';

const words = text.cameras;

function Screen(props: { children: ReactNode; failed?: boolean; idle?: boolean }) {
  const { children, failed, idle } = props;
  return (
    <div
      className={cx(
        'scheme-dark relative flex w-full flex-col items-center justify-center gap-2 overflow-hidden rounded-lg bg-screen px-6 text-center text-ink-soft text-sm',
        failed ? 'py-7' : 'aspect-4/3',
        // A phone has no room for what is not there yet.
        idle && 'max-md:hidden',
      )}
    >
      {children}
    </div>
  );
}

function Failure({ children }: { readonly children: ReactNode }) {
  return (
    <Screen failed>
      <CircleAlert size="1.5rem" strokeWidth={1.7} aria-hidden className="text-bad" />
      <p className="text-base text-ink">{children}</p>
    </Screen>
  );
}

function Advice({ title, sentences }: { readonly title: string; readonly sentences: readonly string[] }) {
  if (sentences.length === 0) return null;
  return (
    <div className="flex flex-col gap-1 rounded-md bg-sunken px-3 py-2 text-sm">
      <p className="flex items-center gap-1.5 font-medium">
        <Lightbulb {...iconLook} />
        {title}
      </p>
      {sentences.map((sentence) => (
        <p key={sentence} className="text-ink-soft">
          {sentence}
        </p>
      ))}
    </div>
  );
}

/** The better of the two ways a browser could play it. */
function playedHow({ browser }: CameraCheck): string {
  const ways = [browser?.webcodecs, browser?.mse];
  return words.plays[ways.includes('yes') ? 'yes' : ways.includes('depends') ? 'depends' : 'no'];
}

function Facts({ check }: { readonly check: CameraCheck }) {
  const { video, audio, transport, time_to_first_picture_ms: firstMs } = check;
  const facts: readonly (readonly [string, string | null | undefined])[] = [
    [words.facts.video, videoWords(video)],
    [words.facts.sound, audio ?? words.facts.noSound],
    [words.facts.keyframes, video?.keyframe_interval_s ? words.seconds(video.keyframe_interval_s) : null],
    [words.facts.firstPicture, firstMs === null ? null : words.seconds(firstMs / 1000)],
    [words.facts.transport, transport?.toUpperCase()],
    [words.facts.browser, playedHow(check)],
  ];
  return (
    <dl className="flex flex-col gap-1 text-sm">
      {facts.map(
        ([name, value]) =>
          value && (
            <div key={name} className="flex justify-between gap-4">
              <dt className="shrink-0 text-ink-faint">{name}</dt>
              <dd className="tabular text-right">{value}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function Found({ check }: { readonly check: CameraCheck }) {
  if (!check.ok)
    return (
      <>
        <Failure>{check.message}</Failure>
        <Advice title={words.advice} sentences={check.advice} />
        <p className="text-ink-faint text-sm">{words.saveAnyway}</p>
      </>
    );
  return (
    <>
      <Screen>
        {check.snapshot && (
          <img
            src={`data:image/jpeg;base64,${check.snapshot}`}
            alt={words.testPicture}
            className="absolute inset-0 size-full object-contain"
          />
        )}
      </Screen>
      <p className="flex items-center gap-2 font-medium text-good">
        <CircleCheck {...iconLook} />
        {words.testOk}
      </p>
      {check.shared && <p className="text-ink-faint text-sm">{words.testShared}</p>}
      <Facts check={check} />
      <Advice title={words.adviceBetter} sentences={check.advice} />
    </>
  );
}

export interface ConnectionTestViewProps {
  readonly test: ConnectionTest;
  /** The address has been changed since. */
  readonly stale: boolean;
  readonly onTest: () => void;
}

export function ConnectionTestView({ test, stale, onTest }: ConnectionTestViewProps) {
  const { state } = test;
  // What is wrong with the address itself stands at its field.
  const atField = state.step === 'refused' && issueOf(state.error, 'rtsp_url') !== undefined;
  return (
    <div className="flex flex-col gap-3">
      <div role="status" className={cx('flex flex-col gap-3', stale && 'opacity-55')}>
        {(state.step === 'idle' || atField) && (
          <Screen idle>
            <Cctv size="1.75rem" strokeWidth={1.5} aria-hidden />
            <p>{words.testIdle}</p>
          </Screen>
        )}
        {state.step === 'running' && (
          <Screen>
            <LoaderCircle size="1.5rem" strokeWidth={1.7} aria-hidden className="animate-turn" />
            <p>{words.testing}</p>
            <p className="text-ink-faint">{words.testingHint}</p>
          </Screen>
        )}
        {state.step === 'refused' && !atField && <Failure>{sentenceOf(state.error)}</Failure>}
        {state.step === 'found' && <Found check={state.check} />}
      </div>
      {stale && <p className="text-sm text-warn">{words.testStale}</p>}
      <Button busy={state.step === 'running'} onClick={onTest}>
        {state.step === 'idle' || state.step === 'running' ? words.test : words.testAgain}
      </Button>
    </div>
  );
}
