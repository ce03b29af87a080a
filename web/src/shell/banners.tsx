// What concerns the whole page, above its content: the connection is lost, parts of the service are not well.

import { CloudOff, TriangleAlert } from 'lucide-react';
import { useEffect, useState } from 'react';
import { retryConnection, useConnection } from '../api/live.ts';
import { useTroubledParts } from '../api/queries.ts';
import { useSession } from '../session.ts';
import { text } from '../text.ts';
import { Button } from '../ui/button.tsx';
import { cx } from '../ui/cx.ts';
import { type Icon, iconLook } from '../ui/icon.ts';

/** Shorter breaks, as of a restart, are not worth a word. */
const patienceMs = 2_500;

function Banner(props: { icon: Icon; tone: 'warn' | 'bad'; children: React.ReactNode }) {
  const { icon: Glyph, tone, children } = props;
  return (
    <div
      className={cx(
        'flex min-h-10 flex-wrap items-center gap-x-3 gap-y-1 px-4 py-1.5 text-sm md:px-6',
        tone === 'bad' ? 'bg-bad-soft text-bad' : 'bg-warn-soft text-warn',
      )}
    >
      <Glyph {...iconLook} />
      {children}
    </div>
  );
}

/** @returns ms since 1970, renewed every half second while `running`. */
function useTicking(running: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!running) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 500);
    return () => clearInterval(timer);
  }, [running]);
  return now;
}

function ConnectionBanner() {
  const connection = useConnection();
  const lost = connection.state === 'lost';
  const now = useTicking(lost);
  if (!lost || now - connection.since < patienceMs) return null;
  const seconds = Math.ceil((connection.retryAt - now) / 1000);
  return (
    <Banner icon={CloudOff} tone="bad">
      <span>{text.connection.lost}</span>
      {/* Not read out every second. */}
      <span aria-live="off" className="tabular">
        {text.connection.retrying(seconds)}
      </span>
      <Button size="sm" tone="quiet" onClick={retryConnection}>
        {text.connection.retryNow}
      </Button>
    </Banner>
  );
}

function HealthBanner() {
  const { may } = useSession();
  const parts = useTroubledParts(may('operator'));
  if (parts.length === 0) return null;
  const names = parts.map((part) => text.connection.parts[part] ?? part);
  return (
    <Banner icon={TriangleAlert} tone="warn">
      <span>{text.connection.degraded(names)}</span>
    </Banner>
  );
}

export function Banners() {
  return (
    <div role="status">
      <ConnectionBanner />
      <HealthBanner />
    </div>
  );
}
