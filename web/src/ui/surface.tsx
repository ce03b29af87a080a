// Surfaces and small parts that pages are laid out with: cards, sections, badges, empty states, skeletons.
// No behaviour, no data.

import type { ReactNode } from 'react';
import { text } from '../text.ts';
import { cx } from './cx.ts';
import { type Icon, iconLook } from './icon.ts';

export function Card({ className, children }: { readonly className?: string; readonly children: ReactNode }) {
  return <div className={cx('rounded-lg border border-line bg-surface', className)}>{children}</div>;
}

export interface SectionProps {
  readonly title: string;
  readonly description?: ReactNode;
  readonly children: ReactNode;
}

/** Part of a page of settings: what it is about at the left, the controls at the right; below each other on narrow screens. */
export function Section({ title, description, children }: SectionProps) {
  return (
    <section className="grid gap-x-10 gap-y-4 border-line border-b py-7 first:pt-1 last:border-b-0 lg:grid-cols-[minmax(12rem,18rem)_minmax(0,1fr)]">
      <header>
        <h2 className="font-semibold text-base">{title}</h2>
        {description && <p className="mt-1 text-ink-soft text-sm">{description}</p>}
      </header>
      <div className="min-w-0">{children}</div>
    </section>
  );
}

export type Tone = 'neutral' | 'accent' | 'good' | 'warn' | 'bad';

const badgeTones: Record<Tone, string> = {
  neutral: 'bg-pressed text-ink-soft',
  accent: 'bg-accent-soft text-accent-ink',
  good: 'bg-good-soft text-good',
  warn: 'bg-warn-soft text-warn',
  bad: 'bg-bad-soft text-bad',
};

export function Badge(props: { readonly tone?: Tone; readonly icon?: Icon; readonly children: ReactNode }) {
  const { tone = 'neutral', icon: Glyph, children } = props;
  return (
    <span
      className={cx(
        'inline-flex h-5.5 items-center gap-1 whitespace-nowrap rounded-sm px-1.5 font-medium text-xs',
        badgeTones[tone],
      )}
    >
      {Glyph && <Glyph {...iconLook} />}
      {children}
    </span>
  );
}

const dotTones: Record<Tone, string> = {
  neutral: 'bg-ink-faint',
  accent: 'bg-accent',
  good: 'bg-good',
  warn: 'bg-warn',
  bad: 'bg-bad',
};

/** Colour beside a word that says the same. */
export function Dot({ tone }: { readonly tone: Tone }) {
  return <span aria-hidden className={cx('inline-block size-2 shrink-0 rounded-full', dotTones[tone])} />;
}

/** How many wait to be seen; nothing for 0. Its meaning is said by what it stands at. */
export function CountBadge({ count, className }: { readonly count: number; readonly className?: string }) {
  if (count <= 0) return null;
  return (
    <span
      aria-hidden
      className={cx(
        'tabular inline-flex h-4.5 min-w-4.5 items-center justify-center whitespace-nowrap rounded-full bg-bad-fill px-1 font-semibold text-on-bad text-xs',
        className,
      )}
    >
      {count > 99 ? '99+' : count}
    </span>
  );
}

export interface EmptyStateProps {
  readonly icon: Icon;
  readonly title: string;
  /** What to do next, or why there is nothing to do. */
  readonly children: ReactNode;
  readonly actions?: ReactNode;
}

export function EmptyState({ icon: Glyph, title, children, actions }: EmptyStateProps) {
  return (
    <div className="mx-auto flex max-w-lg flex-col items-center gap-3 px-4 py-16 text-center">
      <span className="flex size-12 items-center justify-center rounded-xl border border-line bg-surface text-ink-soft">
        <Glyph size="1.5rem" strokeWidth={1.6} aria-hidden />
      </span>
      <h2 className="font-semibold text-lg">{title}</h2>
      <div className="flex flex-col gap-2 text-ink-soft">{children}</div>
      {actions && <div className="mt-2 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}

/** One of several in a `dl` of short facts side by side: what it is above, the value below. */
export function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="flex flex-col">
      <dt className="text-ink-faint text-sm">{name}</dt>
      <dd className="tabular">{children}</dd>
    </div>
  );
}

/** Takes the place of what is being loaded, in its size: give it width and height. */
export function Skeleton({ className }: { readonly className?: string }) {
  return <span aria-hidden className={cx('block animate-shimmer rounded-sm bg-line', className)} />;
}

/** Lines of a list that is being loaded; says so once to screen readers. */
export function SkeletonLines({ count, className }: { readonly count: number; readonly className: string }) {
  return (
    <div className="flex flex-col gap-3" role="status">
      <span className="sr-only">{text.ui.loading}</span>
      {Array.from({ length: count }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike and never change places.
        <Skeleton key={index} className={className} />
      ))}
    </div>
  );
}

/** A key to be pressed. */
export function Key({ children }: { readonly children: string }) {
  return (
    <kbd className="inline-flex h-5 min-w-5 items-center justify-center rounded-sm border border-line-strong bg-surface px-1 font-sans text-ink-soft text-xs">
      {children}
    </kbd>
  );
}

export function Code({ children }: { readonly children: ReactNode }) {
  return <code className="rounded-sm bg-sunken px-1 py-0.5 font-mono text-[0.92em]">{children}</code>;
}
