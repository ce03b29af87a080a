// What people type into, choose from and switch: native controls in our look. To be placed in a Field, or with a label of their own.
// No state beyond what the eye sees; values belong to the page.

import { Check, ChevronDown, Eye, EyeOff } from 'lucide-react';
import { type ComponentProps, type ReactNode, useId, useState } from 'react';
import { text } from '../text.ts';
import { IconButton } from './button.tsx';
import { cx } from './cx.ts';
import { iconLook } from './icon.ts';

export function Input({ className, ...rest }: ComponentProps<'input'>) {
  return <input {...rest} className={cx('field', className)} />;
}

export function TextArea({ className, ...rest }: ComponentProps<'textarea'>) {
  return <textarea rows={3} {...rest} className={cx('field py-1.5', className)} />;
}

/** `autoComplete` must be given: `current-password` or `new-password`. */
export function PasswordInput({
  className,
  ...rest
}: Omit<ComponentProps<'input'>, 'type'> & { readonly autoComplete: string }) {
  const [shown, setShown] = useState(false);
  return (
    <div className={cx('relative', className)}>
      <input
        spellCheck={false}
        autoCapitalize="none"
        {...rest}
        type={shown ? 'text' : 'password'}
        className="field pr-11"
      />
      <IconButton
        icon={shown ? EyeOff : Eye}
        label={shown ? text.ui.hidePassword : text.ui.showPassword}
        size="sm"
        className="-translate-y-1/2 absolute top-1/2 right-0.5"
        onClick={() => setShown(!shown)}
      />
    </div>
  );
}

export interface Option<T extends string> {
  readonly value: T;
  readonly label: string;
}

export interface SelectProps<T extends string>
  extends Omit<ComponentProps<'select'>, 'value' | 'onChange' | 'children'> {
  readonly value: T;
  readonly options: readonly Option<T>[];
  readonly onChange: (value: T) => void;
}

export function Select<T extends string>({ value, options, onChange, className, ...rest }: SelectProps<T>) {
  return (
    <div className={cx('relative', className)}>
      <select
        {...rest}
        value={value}
        onChange={(event) => onChange(event.target.value as T)}
        className="field appearance-none truncate pr-8"
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <ChevronDown
        {...iconLook}
        className="-translate-y-1/2 pointer-events-none absolute top-1/2 right-2.5 text-ink-faint"
      />
    </div>
  );
}

export interface SliderProps extends Omit<ComponentProps<'input'>, 'type' | 'value' | 'onChange'> {
  readonly value: number;
  readonly onChange: (value: number) => void;
  /** How screen readers say the value, as in `80 %`. */
  readonly valueText?: string;
}

export function Slider({ value, onChange, valueText, className, ...rest }: SliderProps) {
  return (
    <input
      {...rest}
      type="range"
      value={value}
      aria-valuetext={valueText}
      onChange={(event) => onChange(event.target.valueAsNumber)}
      className={cx('h-9 w-full cursor-pointer accent-accent pointer-coarse:h-11', className)}
    />
  );
}

interface ToggleProps {
  readonly checked: boolean;
  readonly onChange: (checked: boolean) => void;
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  readonly disabled?: boolean;
  readonly className?: string;
}

function ToggleText({
  id,
  label,
  hint,
}: {
  readonly id: string;
  readonly label: ReactNode;
  readonly hint?: ReactNode;
}) {
  return (
    <span className="flex flex-col">
      <span id={`${id}-label`} className="font-medium text-ink">
        {label}
      </span>
      {hint && (
        <span id={`${id}-hint`} className="text-ink-faint text-sm">
          {hint}
        </span>
      )}
    </span>
  );
}

function toggleNames(id: string, hint: ReactNode) {
  return { id, 'aria-labelledby': `${id}-label`, 'aria-describedby': hint ? `${id}-hint` : undefined };
}

/** Takes effect at once; what is saved with a form is a Checkbox. */
export function Switch({ checked, onChange, label, hint, disabled, className }: ToggleProps) {
  const id = useId();
  return (
    <label htmlFor={id} className={cx('flex cursor-pointer items-center justify-between gap-4', className)}>
      <ToggleText id={id} label={label} hint={hint} />
      <span className="relative inline-flex shrink-0">
        <input
          {...toggleNames(id, hint)}
          type="checkbox"
          role="switch"
          checked={checked}
          aria-checked={checked}
          disabled={disabled}
          onChange={(event) => onChange(event.target.checked)}
          className={cx(
            'peer h-6 w-10 cursor-pointer appearance-none rounded-full border border-line-field bg-sunken transition-colors',
            'checked:border-accent-fill checked:bg-accent-fill disabled:opacity-55',
          )}
        />
        <span
          className={cx(
            'pointer-events-none absolute top-1 left-1 size-4 rounded-full bg-ink-faint transition-transform',
            'peer-checked:translate-x-4 peer-checked:bg-on-accent',
          )}
        />
      </span>
    </label>
  );
}

export function Checkbox({ checked, onChange, label, hint, disabled, className }: ToggleProps) {
  const id = useId();
  return (
    <label htmlFor={id} className={cx('flex cursor-pointer items-start gap-2.5', className)}>
      <span className="relative mt-0.5 inline-flex shrink-0">
        <input
          {...toggleNames(id, hint)}
          type="checkbox"
          checked={checked}
          disabled={disabled}
          onChange={(event) => onChange(event.target.checked)}
          className={cx(
            'peer size-4.5 cursor-pointer appearance-none rounded-sm border border-line-field bg-surface',
            'checked:border-accent-fill checked:bg-accent-fill disabled:opacity-55',
          )}
        />
        <Check
          size="0.875rem"
          strokeWidth={3}
          aria-hidden
          className="pointer-events-none absolute top-0.5 left-0.5 hidden text-on-accent peer-checked:block"
        />
      </span>
      <ToggleText id={id} label={label} hint={hint} />
    </label>
  );
}

export interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly options: readonly (Option<T> & { readonly hint?: string })[];
  readonly onChange: (value: T) => void;
}

/** A few options side by side, one of them chosen; as radio buttons for keyboard and screen reader. */
export function SegmentedChoice<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset className="inline-flex rounded-md border border-line-strong bg-sunken p-0.5">
      <legend className="sr-only">{label}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className={cx(
            'cursor-pointer rounded-sm px-3 py-1 font-medium text-ink-soft text-sm pointer-coarse:py-2',
            'has-checked:bg-thumb has-checked:text-ink has-checked:shadow-sm',
            'has-focus-visible:outline-2 has-focus-visible:outline-accent',
          )}
        >
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
            className="sr-only"
          />
          {option.label}
        </label>
      ))}
    </fieldset>
  );
}

/** A few options below each other, each with a sentence on what it means. */
export function ChoiceList<T extends string>({ label, value, options, onChange }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset className="flex flex-col gap-1.5">
      <legend className="mb-1.5 font-medium text-ink text-sm">{label}</legend>
      {options.map((option) => (
        <label
          key={option.value}
          className={cx(
            'flex cursor-pointer items-start gap-2.5 rounded-md border border-line px-3 py-2',
            'has-checked:border-accent has-checked:bg-accent-soft',
          )}
        >
          <input
            type="radio"
            name={name}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
            className="mt-1 size-4 shrink-0"
          />
          <span className="flex flex-col">
            <span className="font-medium">{option.label}</span>
            {option.hint && <span className="text-ink-soft text-sm">{option.hint}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
