// The first start: the first user is made with the secret of the set-up link; without it, where to find the link.

import { useEffect, useState } from 'react';
import { useLocation } from 'wouter';
import { ApiError, formErrorOf, issueOf } from '../../api/errors.ts';
import { useSetUp } from '../../api/mutations.ts';
import { useSessionQuery } from '../../api/queries.ts';
import { forgetSetupSecret, useSetupSecret } from '../../setup-secret.ts';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { Input, PasswordInput } from '../../ui/controls.tsx';
import { Field, FormError } from '../../ui/field.tsx';
import { Code } from '../../ui/surface.tsx';
import { EntranceCard } from './entrance-frame.tsx';

function CreateFirstUser({ secret }: { readonly secret: string }) {
  const setUp = useSetUp();
  const [, navigate] = useLocation();
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  // The service's own sentence tells to open the link, which is what has just been done.
  const linkIsWrong = setUp.error instanceof ApiError && setUp.error.code === 'setup_required';
  const error = linkIsWrong ? text.setUp.linkWrong : formErrorOf(setUp.error, ['username', 'password']);

  function submit() {
    if (setUp.isPending) return;
    setUp.mutate(
      { username, password, setup_token: secret },
      {
        onSuccess: () => {
          forgetSetupSecret();
          navigate('/', { replace: true });
        },
      },
    );
  }

  return (
    <EntranceCard title={text.setUp.title}>
      <p className="text-ink-soft">{text.setUp.intro}</p>
      <form
        noValidate
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Field label={text.setUp.username} error={issueOf(setUp.error, 'username')}>
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
        <Field
          label={text.setUp.password}
          hint={text.setUp.passwordHint}
          error={issueOf(setUp.error, 'password')}
        >
          {(control) => (
            <PasswordInput
              {...control}
              name="password"
              autoComplete="new-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <FormError>{error}</FormError>
        <Button type="submit" tone="primary" busy={setUp.isPending}>
          {text.setUp.submit}
        </Button>
      </form>
    </EntranceCard>
  );
}

function OpenTheLink() {
  const { refetch, isFetching } = useSessionQuery();
  return (
    <EntranceCard title={text.setUp.noLinkTitle}>
      <div className="flex flex-col gap-3 text-ink-soft">
        <p>{text.setUp.noLink}</p>
        <p>
          <Code>{text.setUp.linkExample(location.origin)}</Code>
        </p>
        <p>{text.setUp.noLinkHint}</p>
      </div>
      <Button onClick={() => refetch()} busy={isFetching}>
        {text.setUp.check}
      </Button>
    </EntranceCard>
  );
}

export default function SetUp() {
  const secret = useSetupSecret();
  useEffect(() => {
    document.title = `${text.setUp.title} · ${text.product}`;
  }, []);
  return secret === null ? <OpenTheLink /> : <CreateFirstUser secret={secret} />;
}
