// What is shown: the entrance while nobody is signed in, else the shell with the page of the address.

import { Suspense, useEffect } from 'react';
import { useSessionQuery } from './api/queries.ts';
import { EntranceFrame } from './pages/entrance/entrance-frame.tsx';
import { Unreachable } from './pages/entrance/unreachable.tsx';
import { SessionContext } from './session.ts';
import { lateCode } from './shell/late-code.ts';
import { Shell } from './shell/shell.tsx';
import { text } from './text.ts';
import { Toasts } from './ui/toast.tsx';

const SignIn = lateCode(() => import('./pages/entrance/sign-in.tsx'));
const SetUp = lateCode(() => import('./pages/entrance/set-up.tsx'));

/** In the place of the card, as long as it is not known what to show; after a moment only, so that nothing flickers. */
function Waiting() {
  return (
    <EntranceFrame>
      <p role="status" className="animate-late text-ink-soft">
        {text.start.connecting}
      </p>
    </EntranceFrame>
  );
}

function Current() {
  const { data: session, error, refetch, isFetching } = useSessionQuery();
  const signedIn = session?.state === 'signed_in';
  useEffect(() => {
    if (!signedIn) document.title = text.product;
  }, [signedIn]);

  if (!session) return error ? <Unreachable error={error} retry={refetch} busy={isFetching} /> : <Waiting />;
  if (session.state === 'setup_required') return <SetUp />;
  if (session.state === 'signed_out') return <SignIn ended={session.ended} />;
  return (
    <SessionContext value={session.me}>
      <Shell />
    </SessionContext>
  );
}

export function App() {
  return (
    <>
      <Suspense fallback={<Waiting />}>
        <Current />
      </Suspense>
      <Toasts />
    </>
  );
}
