// Buttons: with text, with an icon only, and links that look like buttons.
// They say nothing themselves; texts come from outside.

import { LoaderCircle } from 'lucide-react';
import type { ComponentProps, ReactNode } from 'react';
import { Link } from 'wouter';
import { cx } from './cx.ts';
import { type Icon, iconLook } from './icon.ts';

export type ButtonTone = 'primary' | 'plain' | 'quiet' | 'danger';
export type ButtonSize = 'sm' | 'md' | 'lg';

const tones: Record<ButtonTone, string> = {
  primary: 'bg-accent-fill text-on-accent hover:not-disabled:bg-accent-hover',
  plain: 'border border-line-strong bg-surface text-ink hover:not-disabled:bg-sunken',
  quiet:
    'text-ink-soft hover:not-disabled:bg-hover hover:not-disabled:text-ink active:not-disabled:bg-pressed',
  danger: 'bg-bad-fill text-on-bad hover:not-disabled:brightness-110',
};

// At least 44 px high under a finger, whatever the size.
const sizes: Record<ButtonSize, string> = {
  sm: 'h-8 px-2.5 text-sm pointer-coarse:h-11',
  md: 'h-9 px-3.5 text-base pointer-coarse:h-11',
  lg: 'h-11 px-5 text-lg',
};

const squares: Record<ButtonSize, string> = {
  sm: 'size-8 text-sm pointer-coarse:size-11',
  md: 'size-9 text-lg pointer-coarse:size-11',
  lg: 'size-11 text-xl',
};

function look(tone: ButtonTone, size: string, className?: string): string {
  return cx(
    'inline-flex select-none items-center justify-center gap-2 whitespace-nowrap rounded-md font-medium transition-colors',
    'disabled:cursor-not-allowed disabled:opacity-55',
    tones[tone],
    size,
    className,
  );
}

interface Looks {
  readonly tone?: ButtonTone;
  readonly size?: ButtonSize;
}

export type ButtonProps = ComponentProps<'button'> &
  Looks & {
    readonly icon?: Icon;
    /** Under way: it turns and cannot be pressed again; the text stays, so that nothing moves. */
    readonly busy?: boolean;
  };

export function Button({
  tone = 'plain',
  size = 'md',
  icon: Glyph,
  busy = false,
  type = 'button',
  className,
  disabled,
  onClick,
  children,
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      className={look(tone, sizes[size], className)}
      disabled={disabled}
      // Not `disabled`: that would take the focus away in the middle of things.
      aria-disabled={busy || undefined}
      onClick={busy ? (event) => event.preventDefault() : onClick}
    >
      {busy ? (
        <LoaderCircle {...iconLook} className="animate-turn shrink-0" />
      ) : (
        Glyph && <Glyph {...iconLook} />
      )}
      {children}
    </button>
  );
}

export type IconButtonProps = Omit<ComponentProps<'button'>, 'children' | 'aria-label'> &
  Looks & {
    readonly icon: Icon;
    /** Said to screen readers and shown as a tooltip. */
    readonly label: string;
    readonly children?: ReactNode;
  };

/** @param children laid over the icon, as a badge. */
export function IconButton({
  tone = 'quiet',
  size = 'md',
  icon: Glyph,
  label,
  type = 'button',
  className,
  children,
  ...rest
}: IconButtonProps) {
  return (
    <button
      title={label}
      {...rest}
      type={type}
      aria-label={label}
      className={look(tone, squares[size], cx('shrink-0', children ? 'relative' : null, className))}
    >
      <Glyph {...iconLook} />
      {children}
    </button>
  );
}

export type LinkButtonProps = Looks & {
  readonly to: string;
  readonly icon?: Icon;
  readonly className?: string;
  readonly children: ReactNode;
};

/** Goes to a page of ours. */
export function LinkButton({
  tone = 'plain',
  size = 'md',
  to,
  icon: Glyph,
  className,
  children,
}: LinkButtonProps) {
  return (
    <Link to={to} className={look(tone, sizes[size], className)}>
      {Glyph && <Glyph {...iconLook} />}
      {children}
    </Link>
  );
}
