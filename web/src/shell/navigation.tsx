// The way between pages: a side bar, or a bar at the bottom of a phone. Shows only what the role may open.
// Which pages there are is in routes.tsx.

import {
  CircleUserRound,
  Ellipsis,
  LogOut,
  Monitor,
  Moon,
  PanelLeftClose,
  PanelLeftOpen,
  Sun,
} from 'lucide-react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { sentenceOf } from '../api/errors.ts';
import { useSignOut } from '../api/mutations.ts';
import { useUnviewedCount } from '../api/queries.ts';
import { type Theme, usePreference } from '../preferences.ts';
import { type PageRoute, routes } from '../routes.tsx';
import { useSession } from '../session.ts';
import { text } from '../text.ts';
import { IconButton } from '../ui/button.tsx';
import { cx } from '../ui/cx.ts';
import { type Icon, iconLook } from '../ui/icon.ts';
import { Menu, MenuHeading, MenuItem, MenuLink, MenuRadio, MenuSeparator } from '../ui/menu.tsx';
import { CountBadge } from '../ui/surface.tsx';
import { toast } from '../ui/toast.tsx';

type NavRoute = PageRoute & { readonly nav: NonNullable<PageRoute['nav']> };

function useNavRoutes(): readonly NavRoute[] {
  const { may } = useSession();
  return routes.filter((route): route is NavRoute => route.nav !== undefined && may(route.role));
}

/** `/cameras` is current on `/cameras/7` too. */
function isCurrent(path: string, location: string): boolean {
  return location === path || (path !== '/' && location.startsWith(`${path}/`));
}

function SideLink({ route, narrow }: { readonly route: NavRoute; readonly narrow: boolean }) {
  const [location] = useLocation();
  const unviewed = useUnviewedCount() ?? 0;
  const { label, icon: Glyph, countsAlerts } = route.nav;
  const current = isCurrent(route.path, location);
  const count = countsAlerts ? unviewed : 0;
  return (
    <Link
      to={route.path}
      aria-current={current ? 'page' : undefined}
      title={narrow ? label : undefined}
      className={cx(
        'relative flex h-9 items-center gap-2.5 rounded-md px-2.5 font-medium transition-colors',
        current ? 'bg-pressed text-ink' : 'text-ink-soft hover:bg-hover hover:text-ink',
      )}
    >
      <Glyph {...iconLook} size="1.1875rem" className={cx('shrink-0', current && 'text-accent-ink')} />
      <span className={narrow ? 'sr-only' : 'max-lg:sr-only'}>{label}</span>
      {count > 0 && <span className="sr-only">, {text.nav.unviewed(count)}</span>}
      <CountBadge
        count={count}
        className={
          narrow ? 'absolute -top-1 -right-1' : 'ml-auto max-lg:absolute max-lg:-top-1 max-lg:-right-1'
        }
      />
    </Link>
  );
}

const themes: readonly (readonly [Theme, Icon])[] = [
  ['system', Monitor],
  ['light', Sun],
  ['dark', Moon],
];

/** Who is signed in, the theme, and the way out. */
function AccountItems() {
  const { me } = useSession();
  const [theme, setTheme] = usePreference('theme');
  const signOut = useSignOut();
  return (
    <>
      <MenuHeading>
        {me.auth === 'off' ? (
          text.nav.authOff
        ) : (
          <>
            {text.nav.signedInAs}
            <span className="block truncate font-medium text-base text-ink">{me.name}</span>
            {text.role.names[me.role]}
          </>
        )}
      </MenuHeading>
      <MenuSeparator />
      <MenuHeading>{text.theme.label}</MenuHeading>
      {themes.map(([value, glyph]) => (
        <MenuRadio key={value} icon={glyph} checked={theme === value} onSelect={() => setTheme(value)}>
          {text.theme[value]}
        </MenuRadio>
      ))}
      {me.auth === 'required' && (
        <>
          <MenuSeparator />
          <MenuItem
            icon={LogOut}
            onSelect={() =>
              signOut.mutate(undefined, { onError: (error) => toast.failed(sentenceOf(error)) })
            }
          >
            {text.nav.signOut}
          </MenuItem>
        </>
      )}
    </>
  );
}

function AccountMenu({ narrow }: { readonly narrow: boolean }) {
  const { me } = useSession();
  return (
    <Menu
      trigger={(props) => (
        <button
          {...props}
          type="button"
          aria-label={`${text.nav.account}: ${me.name}`}
          className="flex h-10 min-w-0 flex-1 items-center gap-2.5 rounded-md px-2.5 text-ink-soft hover:bg-hover hover:text-ink"
        >
          <CircleUserRound {...iconLook} size="1.1875rem" />
          <span className={cx('truncate font-medium', narrow ? 'hidden' : 'max-lg:hidden')}>{me.name}</span>
        </button>
      )}
    >
      <AccountItems />
    </Menu>
  );
}

function Group({ children, title, narrow }: { children: ReactNode; title?: string; narrow: boolean }) {
  return (
    <div className="flex flex-col gap-0.5">
      {title && (
        <p
          className={cx(
            'mt-3 mb-1 px-2.5 font-medium text-ink-faint text-xs',
            narrow ? 'sr-only' : 'max-lg:sr-only',
          )}
        >
          {title}
        </p>
      )}
      {children}
    </div>
  );
}

export function SideBar() {
  const pages = useNavRoutes();
  const [sidebar, setSidebar] = usePreference('sidebar');
  const narrow = sidebar === 'narrow';
  const group = (name: NavRoute['nav']['group']) =>
    pages
      .filter((route) => route.nav.group === name)
      .map((route) => <SideLink key={route.path} route={route} narrow={narrow} />);
  const admin = group('admin');
  return (
    <nav
      aria-label={text.nav.label}
      className={cx(
        'sticky top-0 hidden h-dvh shrink-0 flex-col border-line border-r bg-surface px-2 pb-2 md:flex',
        narrow ? 'w-14' : 'w-14 lg:w-54',
      )}
    >
      <div className="flex h-(--header) shrink-0 items-center gap-2.5 px-2">
        <img src="/icon.svg" alt="" width="24" height="24" className="size-6 shrink-0" />
        <span className={cx('truncate font-semibold', narrow ? 'hidden' : 'max-lg:hidden')}>
          {text.productShort}
        </span>
      </div>
      <div className="flex min-h-0 flex-1 flex-col gap-0.5 overflow-y-auto py-1">
        <Group narrow={narrow}>{group('main')}</Group>
        <Group narrow={narrow}>{group('more')}</Group>
        {admin.length > 0 && (
          <Group title={text.nav.admin} narrow={narrow}>
            {admin}
          </Group>
        )}
      </div>
      <div className={cx('flex items-center gap-1', narrow ? 'flex-col' : 'max-lg:flex-col')}>
        <AccountMenu narrow={narrow} />
        <IconButton
          icon={narrow ? PanelLeftOpen : PanelLeftClose}
          label={narrow ? text.nav.wide : text.nav.narrow}
          aria-expanded={!narrow}
          className="max-lg:hidden"
          onClick={() => setSidebar(narrow ? 'wide' : 'narrow')}
        />
      </div>
    </nav>
  );
}

const barItem = 'relative flex h-14 min-w-0 flex-1 flex-col items-center justify-center gap-0.5 text-xs';
const inBar = 4;

export function BottomBar() {
  const pages = useNavRoutes();
  const [location] = useLocation();
  const unviewed = useUnviewedCount() ?? 0;
  const main = pages.filter(({ nav }) => nav.group === 'main').slice(0, inBar);
  const rest = pages.filter((route) => !main.includes(route));
  const restIsCurrent = rest.some(({ path }) => isCurrent(path, location));
  return (
    <nav
      aria-label={text.nav.label}
      className="fixed inset-x-0 bottom-0 z-30 flex border-line border-t bg-surface pb-[env(safe-area-inset-bottom)] md:hidden"
    >
      {main.map(({ path, nav: { label, icon: Glyph, countsAlerts } }) => {
        const current = isCurrent(path, location);
        return (
          <Link
            key={path}
            to={path}
            aria-current={current ? 'page' : undefined}
            className={cx(barItem, current ? 'font-medium text-accent-ink' : 'text-ink-soft')}
          >
            <span className="relative">
              <Glyph {...iconLook} size="1.375rem" />
              {countsAlerts && <CountBadge count={unviewed} className="-top-1.5 -right-3 absolute" />}
            </span>
            {label}
            {countsAlerts && unviewed > 0 && <span className="sr-only">, {text.nav.unviewed(unviewed)}</span>}
          </Link>
        );
      })}
      <Menu
        trigger={(props) => (
          <button
            {...props}
            type="button"
            className={cx(barItem, restIsCurrent ? 'font-medium text-accent-ink' : 'text-ink-soft')}
          >
            <Ellipsis {...iconLook} size="1.375rem" />
            {text.nav.more}
          </button>
        )}
      >
        {rest.map(({ path, nav: { label, icon: glyph } }) => (
          <MenuLink key={path} to={path} icon={glyph}>
            {label}
          </MenuLink>
        ))}
        {rest.length > 0 && <MenuSeparator />}
        <AccountItems />
      </Menu>
    </nav>
  );
}
