// Changing one's own password.

import { useState } from 'react';
import { ApiError, formErrorOf, issueOf } from '../../api/errors.ts';
import { useChangeOwnPassword } from '../../api/mutations.ts';
import { useSession } from '../../session.ts';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { PasswordInput } from '../../ui/controls.tsx';
import { Field, FormError } from '../../ui/field.tsx';
import { toast } from '../../ui/toast.tsx';

const nothing = { current_password: '', password: '' };

export function OwnPassword() {
  const { me } = useSession();
  const change = useChangeOwnPassword();
  const [input, setInput] = useState(nothing);
  if (me.auth === 'off') return <p className="text-ink-soft">{text.settings.noPassword}</p>;
  if (me.user === null) return <p className="text-ink-soft">{text.settings.noUser}</p>;

  const wrong = change.error instanceof ApiError && change.error.code === 'wrong_credentials';
  const formError = wrong ? null : formErrorOf(change.error, ['current_password', 'password']);

  function submit() {
    if (change.isPending) return;
    change.mutate(input, {
      onSuccess: () => {
        setInput(nothing);
        toast.done(text.settings.passwordChanged);
      },
    });
  }

  return (
    <form
      noValidate
      className="flex max-w-md flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {/* For password managers: whose password this is. */}
      <input type="text" name="username" autoComplete="username" value={me.name} readOnly hidden />
      <Field
        label={text.settings.currentPassword}
        error={wrong ? change.error?.message : issueOf(change.error, 'current_password')}
      >
        {(control) => (
          <PasswordInput
            {...control}
            name="current_password"
            autoComplete="current-password"
            value={input.current_password}
            onChange={(event) => setInput({ ...input, current_password: event.target.value })}
          />
        )}
      </Field>
      <Field
        label={text.settings.newPassword}
        hint={text.settings.newPasswordHint}
        error={issueOf(change.error, 'password')}
      >
        {(control) => (
          <PasswordInput
            {...control}
            name="password"
            autoComplete="new-password"
            value={input.password}
            onChange={(event) => setInput({ ...input, password: event.target.value })}
          />
        )}
      </Field>
      <FormError>{formError}</FormError>
      <div>
        <Button type="submit" tone="primary" busy={change.isPending}>
          {text.settings.changePassword}
        </Button>
      </div>
    </form>
  );
}
