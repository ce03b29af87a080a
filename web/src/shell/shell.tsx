// The frame around every page while somebody is signed in: navigation, banners, the page of the address.
// The pages are listed in routes.tsx.

import { Compass, Lock } from 'lucide-react';
import { Suspense } from 'react';
import { Redirect, Route, Switch, useLocation } from 'wouter';
import { useLiveEvents } from '../api/live.ts';
import { usePreference } from '../preferences.ts';
import { type PageRoute, routes } from '../routes.tsx';
import { useSession } from '../session.ts';
import { text } from '../text.ts';
import { LinkButton } from '../ui/button.tsx';
import { EmptyState } from '../ui/surface.tsx';
import { AlertNotifications } from './alert-notifications.tsx';
import { Banners } from './banners.tsx';
import { ErrorBoundary } from './error-boundary.tsx';
import { BottomBar, SideBar } from './navigation.tsx';
import { Page } from './page.tsx';

function NotFound() {
  return (
    <Page title={text.errors.notFoundTitle}>
      <EmptyState
        icon={Compass}
        title={text.errors.notFoundTitle}
        actions={<LinkButton to="/">{text.errors.goHome}</LinkButton>}
      >
        <p>{text.errors.notFound}</p>
      </EmptyState>
    </Page>
  );
}

function Forbidden({ route }: { readonly route: PageRoute }) {
  return (
    <Page title={text.errors.forbiddenTitle}>
      <EmptyState
        icon={Lock}
        title={text.errors.forbiddenTitle}
        actions={<LinkButton to="/">{text.errors.goHome}</LinkButton>}
      >
        <p>{text.errors.forbidden(text.role.names[route.role])}</p>
      </EmptyState>
    </Page>
  );
}

function CurrentPage() {
  const { may } = useSession();
  return (
    <Switch>
      {routes.map((route) => (
        <Route key={route.path} path={route.path}>
          {(params) =>
            may(route.role) ? (
              <route.component params={params as Record<string, string | undefined>} />
            ) : (
              <Forbidden route={route} />
            )
          }
        </Route>
      ))}
      <Route path="/">{routes[0] && <Redirect to={routes[0].path} replace />}</Route>
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}

export function Shell() {
  const [location] = useLocation();
  const [notifications] = usePreference('notifications');
  useLiveEvents(notifications === 'on');
  return (
    <div className="flex min-h-dvh">
      <a
        href="#content"
        className="-top-20 fixed left-3 z-50 rounded-md bg-accent-fill px-4 py-2 font-medium text-on-accent focus:top-3"
      >
        {text.nav.skip}
      </a>
      <SideBar />
      <div className="flex min-w-0 flex-1 flex-col pb-(--bottom-bar)">
        <Banners />
        <main id="content" tabIndex={-1} className="flex-1">
          <ErrorBoundary key={location}>
            {/* The heading's place is kept, so that nothing moves when the page's code has come. */}
            <Suspense fallback={<div className="h-(--header) border-line border-b" />}>
              <CurrentPage />
            </Suspense>
          </ErrorBoundary>
        </main>
      </div>
      <BottomBar />
      <AlertNotifications />
    </div>
  );
}
