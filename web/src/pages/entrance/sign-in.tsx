// Signing in by name and password. The address stays, so that one goes on where one wanted to be.

import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { ApiError, formErrorOf, issueOf } from '../../api/errors.ts';
import { useSignIn } from '../../api/mutations.ts';
import { formatCountdown } from '../../format.ts';
import { useSetupSecret } from '../../setup-secret.ts';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { Input, PasswordInput } from '../../ui/controls.tsx';
import { Field, FormError } from '../../ui/field.tsx';
import { Code } from '../../ui/surface.tsx';
import { EntranceCard } from './entrance-frame.tsx';

const isLimit = (error: unknown): error is ApiError & { retryAt: number } =>
  error instanceof ApiError && error.status === 429 && error.retryAt !== null;

/** After too many wrong passwords. @returns seconds until the next one is allowed, renewed while they pass; 0 for none. */
function useWait(error: unknown): number {
  const until = isLimit(error) ? error.retryAt : 0;
  const [now, setNow] = useState(Date.now);
  const waiting = until > now;
  // Before the first paint: until now nobody had to look at the clock.
  useLayoutEffect(() => {
    if (!waiting) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [waiting]);
  return waiting ? (until - now) / 1000 : 0;
}

export default function SignIn({ ended }: { readonly ended: boolean }) {
  const signIn = useSignIn();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const staleLink = useSetupSecret() !== null;
  const passwordInput = useRef<HTMLInputElement>(null);
  const wait = useWait(signIn.error);
  // The service's own sentence names seconds, which pass.
  const refusal = formErrorOf(signIn.error, ['username', 'password']);
  const error = isLimit(signIn.error) ? wait > 0 && text.signIn.tooMany : refusal;
  const note = staleLink ? text.setUp.linkUsed : ended ? text.signIn.ended : null;

  useEffect(() => {
    document.title = `${text.signIn.title} · ${text.product}`;
  }, []);

  function submit() {
    if (signIn.isPending || wait > 0) return;
    signIn.mutate(
      { username, password },
      {
        onError: () => passwordInput.current?.select(),
      },
    );
  }

  return (
    <EntranceCard title={text.signIn.title}>
      {note && <p className="rounded-md bg-accent-soft px-3 py-2 text-accent-ink text-sm">{note}</p>}
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Field label={text.signIn.username} error={issueOf(signIn.error, 'username')}>
          {(control) => (
            <Input
              {...control}
              name="username"
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              autoFocus
              value={username}
              onChange={(event) => setUsername(event.target.value)}
            />
          )}
        </Field>
        <Field label={text.signIn.password} error={issueOf(signIn.error, 'password')}>
          {(control) => (
            <PasswordInput
              {...control}
              ref={passwordInput}
              name="password"
              autoComplete="current-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <FormError>{error}</FormError>
        <Button type="submit" tone="primary" busy={signIn.isPending} disabled={wait > 0} className="tabular">
          {wait > 0 ? text.signIn.wait(formatCountdown(wait)) : text.signIn.submit}
        </Button>
      </form>
      <p className="text-ink-faint text-sm">
        {text.signIn.forgotten} <Code>{text.signIn.forgottenCommand}</Code>
      </p>
    </EntranceCard>
  );
}
