// Every page: its path, who may see it, its place in the navigation. A page is added here and nowhere else.
// Pages are loaded when they are first opened, each with its own code.

import {
  BellRing,
  Cctv,
  ChartLine,
  KeyRound,
  LayoutGrid,
  ScanFace,
  ScrollText,
  Settings,
  UsersRound,
} from 'lucide-react';
import type { ComponentType } from 'react';
import type { Role } from './api/types.ts';
import { lateCode } from './shell/late-code.ts';
import { text } from './text.ts';
import type { Icon } from './ui/icon.ts';

export interface PageRoute {
  /** wouter pattern; parameters reach the page as `params`. */
  readonly path: string;
  readonly role: Role;
  readonly component: ComponentType<{ params: Record<string, string | undefined> }>;
  /** `main`: also in the bar of a phone (the first four). Absent: reached from other pages only. */
  readonly nav?: {
    readonly group: 'main' | 'more' | 'admin';
    readonly label: string;
    readonly icon: Icon;
    /** Shows how many alerts are unviewed. */
    readonly countsAlerts?: boolean;
  };
}

/** In the order of the navigation. The first page is the start page. */
export const routes: readonly PageRoute[] = [
  {
    path: '/',
    role: 'viewer',
    component: lateCode(() => import('./pages/wall/wall-page.tsx')),
    nav: { group: 'main', label: text.nav.wall, icon: LayoutGrid },
  },
  {
    path: '/cameras',
    role: 'viewer',
    component: lateCode(() => import('./pages/cameras/cameras-page.tsx')),
    nav: { group: 'main', label: text.nav.cameras, icon: Cctv },
  },
  {
    path: '/cameras/:id',
    role: 'viewer',
    component: lateCode(() => import('./pages/cameras/camera-page.tsx')),
  },
  {
    path: '/alerts',
    role: 'viewer',
    component: lateCode(() => import('./pages/alerts/alerts-page.tsx')),
    nav: { group: 'main', label: text.nav.alerts, icon: BellRing, countsAlerts: true },
  },
  {
    path: '/detections',
    role: 'viewer',
    component: lateCode(() => import('./pages/detections/detections-page.tsx')),
    nav: { group: 'main', label: text.nav.detections, icon: ScanFace },
  },
  {
    path: '/performance',
    role: 'viewer',
    component: lateCode(() => import('./pages/performance/performance-page.tsx')),
    nav: { group: 'more', label: text.nav.performance, icon: ChartLine },
  },
  {
    path: '/settings',
    role: 'viewer',
    component: lateCode(() => import('./pages/settings/settings-page.tsx')),
    nav: { group: 'more', label: text.nav.settings, icon: Settings },
  },
  {
    path: '/users',
    role: 'admin',
    component: lateCode(() => import('./pages/users/users-page.tsx')),
    nav: { group: 'admin', label: text.nav.users, icon: UsersRound },
  },
  {
    path: '/tokens',
    role: 'admin',
    component: lateCode(() => import('./pages/tokens/tokens-page.tsx')),
    nav: { group: 'admin', label: text.nav.tokens, icon: KeyRound },
  },
  {
    path: '/audit',
    role: 'admin',
    component: lateCode(() => import('./pages/audit/audit-page.tsx')),
    nav: { group: 'admin', label: text.nav.audit, icon: ScrollText },
  },
];
