// Users, for admins: who there is, and what each may do.
// The dialogs that change something are in user-dialogs.tsx.

import { Ellipsis, KeyRound, ShieldHalf, Trash2, UserPlus, UsersRound } from 'lucide-react';
import { useState } from 'react';
import { useUsers } from '../../api/queries.ts';
import type { User } from '../../api/types.ts';
import { formatCount } from '../../format.ts';
import { useSession } from '../../session.ts';
import { Page } from '../../shell/page.tsx';
import { text } from '../../text.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { Loaded, More } from '../../ui/list-state.tsx';
import { Menu, MenuItem, MenuSeparator } from '../../ui/menu.tsx';
import { RoleBadge } from '../../ui/role.tsx';
import { Badge, EmptyState, SkeletonLines } from '../../ui/surface.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Time } from '../../ui/time.tsx';
import { AddUser, ChangeRole, DeleteUser, ResetPassword } from './user-dialogs.tsx';

type Open = { readonly what: 'add' } | { readonly what: 'role' | 'password' | 'delete'; readonly user: User };

function Actions(props: {
  user: User;
  lastAdmin: boolean;
  open: (what: 'role' | 'password' | 'delete') => void;
}) {
  const { user, lastAdmin, open } = props;
  const reason = lastAdmin ? text.users.lastAdmin : null;
  return (
    <Menu
      trigger={(trigger) => (
        <IconButton {...trigger} icon={Ellipsis} size="sm" label={text.ui.moreActions(user.username)} />
      )}
    >
      <MenuItem icon={ShieldHalf} disabledReason={reason} onSelect={() => open('role')}>
        {text.users.changeRole}
      </MenuItem>
      <MenuItem icon={KeyRound} onSelect={() => open('password')}>
        {text.users.resetPassword}
      </MenuItem>
      <MenuSeparator />
      <MenuItem icon={Trash2} tone="danger" disabledReason={reason} onSelect={() => open('delete')}>
        {text.users.remove}
      </MenuItem>
    </Menu>
  );
}

function Name({ user, you }: { readonly user: User; readonly you: boolean }) {
  return (
    <span className="flex min-w-0 items-baseline gap-2">
      <span className="truncate">{user.username}</span>
      {you && <Badge>{text.users.you}</Badge>}
    </span>
  );
}

export default function UsersPage() {
  const { me } = useSession();
  const query = useUsers();
  const [open, setOpen] = useState<Open | null>(null);
  const users = query.data?.pages.flatMap((page) => page.users) ?? [];
  const admins = users.filter(({ role }) => role === 'admin').length;
  const isLastAdmin = (user: User) => user.role === 'admin' && admins === 1 && !query.hasNextPage;
  const isYou = (user: User) => user.id === me.user?.id;
  const close = () => setOpen(null);

  const columns: readonly Column<User>[] = [
    { id: 'name', header: text.users.name, cell: (user) => <Name user={user} you={isYou(user)} /> },
    {
      id: 'role',
      header: text.role.label,
      cell: ({ role }) => <RoleBadge role={role} />,
      className: 'md:w-32',
    },
    {
      id: 'email',
      header: text.users.email,
      cell: ({ email }) => <span className="text-ink-soft">{email ?? text.ui.none}</span>,
    },
    {
      id: 'login',
      header: text.users.lastLogin,
      className: 'md:w-36 text-ink-soft',
      cell: ({ last_login: at }) => (at ? <Time value={at} /> : text.time.never),
    },
    {
      id: 'created',
      header: text.users.created,
      className: 'md:w-36 text-ink-soft',
      cell: ({ created_at: at }) => <Time value={at} />,
    },
    {
      id: 'actions',
      header: text.ui.actions,
      actions: true,
      className: 'md:w-14',
      cell: (user) => (
        <Actions user={user} lastAdmin={isLastAdmin(user)} open={(what) => setOpen({ what, user })} />
      ),
    },
  ];

  return (
    <Page
      title={text.users.title}
      width="text"
      aside={users.length > 0 && !query.hasNextPage && formatCount(users.length)}
      actions={
        <Button tone="primary" icon={UserPlus} onClick={() => setOpen({ what: 'add' })}>
          {text.users.add}
        </Button>
      }
    >
      <Loaded query={query} skeleton={<SkeletonLines count={4} className="h-9" />}>
        {() => (
          <>
            <Table caption={text.users.caption} columns={columns} rows={users} rowKey={({ id }) => id} />
            {query.hasNextPage && <More query={query} />}
            {users.length === 1 && (
              <EmptyState icon={UsersRound} title={text.users.onlyYouTitle}>
                <p>{text.users.onlyYou}</p>
              </EmptyState>
            )}
          </>
        )}
      </Loaded>
      {open?.what === 'add' && <AddUser onClose={close} />}
      {open?.what === 'role' && <ChangeRole user={open.user} you={isYou(open.user)} onClose={close} />}
      {open?.what === 'password' && <ResetPassword user={open.user} onClose={close} />}
      {open?.what === 'delete' && <DeleteUser user={open.user} onClose={close} />}
    </Page>
  );
}
