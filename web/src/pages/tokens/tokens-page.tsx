// API tokens, for admins: which programs may come in, and until when.
// Making one is in create-token.tsx.

import { KeyRound, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useDeleteToken } from '../../api/mutations.ts';
import { useTokens } from '../../api/queries.ts';
import type { ApiToken } from '../../api/types.ts';
import { formatCount } from '../../format.ts';
import { Page } from '../../shell/page.tsx';
import { text } from '../../text.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Loaded, More } from '../../ui/list-state.tsx';
import { RoleBadge } from '../../ui/role.tsx';
import { Badge, EmptyState, SkeletonLines } from '../../ui/surface.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { Time, useNow } from '../../ui/time.tsx';
import { toast } from '../../ui/toast.tsx';
import { CreateToken } from './create-token.tsx';

function Expiry({ token }: { readonly token: ApiToken }) {
  const now = useNow();
  if (token.expires_at === null) return text.tokens.expiresNever;
  if (Date.parse(token.expires_at) <= now) return <Badge tone="warn">{text.tokens.expired}</Badge>;
  return <Time value={token.expires_at} />;
}

function Revoke({ token, onClose }: { readonly token: ApiToken; readonly onClose: () => void }) {
  const remove = useDeleteToken();
  return (
    <ConfirmDialog
      title={text.tokens.revokeTitle(token.name)}
      consequences={text.tokens.revokeEffects}
      confirmLabel={text.tokens.revokeConfirm}
      onConfirm={async () => {
        await remove.mutateAsync(token.id);
        toast.done(text.tokens.revoked(token.name));
      }}
      onClose={onClose}
    />
  );
}

export default function TokensPage() {
  const query = useTokens();
  const [creating, setCreating] = useState(false);
  const [revoking, setRevoking] = useState<ApiToken | null>(null);
  const tokens = query.data?.pages.flatMap((page) => page.tokens) ?? [];

  const columns: readonly Column<ApiToken>[] = [
    { id: 'name', header: text.tokens.name, cell: ({ name }) => name },
    {
      id: 'role',
      header: text.role.label,
      className: 'md:w-28',
      cell: ({ role }) => <RoleBadge role={role} />,
    },
    {
      id: 'expires',
      header: text.tokens.expires,
      className: 'md:w-32 text-ink-soft',
      cell: (token) => <Expiry token={token} />,
    },
    {
      id: 'used',
      header: text.tokens.lastUsed,
      className: 'md:w-32 text-ink-soft',
      cell: ({ last_used: at }) => (at ? <Time value={at} /> : text.tokens.neverUsed),
    },
    {
      id: 'created',
      header: text.tokens.created,
      className: 'md:w-52 text-ink-soft',
      cell: ({ created_at: at, created_by: by }) => (
        <>
          <Time value={at} />
          {by && ` ${text.tokens.createdBy} ${by}`}
        </>
      ),
    },
    {
      id: 'actions',
      header: text.ui.actions,
      actions: true,
      className: 'md:w-14',
      cell: (token) => (
        <IconButton
          icon={Trash2}
          size="sm"
          label={text.tokens.revokeTitle(token.name)}
          title={text.tokens.revoke}
          onClick={() => setRevoking(token)}
        />
      ),
    },
  ];

  const createButton = (
    <Button tone="primary" icon={Plus} onClick={() => setCreating(true)}>
      {text.tokens.create}
    </Button>
  );

  return (
    <Page
      title={text.tokens.title}
      width="text"
      aside={tokens.length > 0 && !query.hasNextPage && formatCount(tokens.length)}
      actions={tokens.length > 0 && createButton}
    >
      <Loaded query={query} skeleton={<SkeletonLines count={4} className="h-9" />}>
        {() =>
          tokens.length === 0 ? (
            <EmptyState icon={KeyRound} title={text.tokens.emptyTitle} actions={createButton}>
              <p>{text.tokens.intro}</p>
              <p>{text.tokens.empty}</p>
            </EmptyState>
          ) : (
            <>
              <p className="mb-4 max-w-prose text-ink-soft">{text.tokens.intro}</p>
              <Table caption={text.tokens.caption} columns={columns} rows={tokens} rowKey={({ id }) => id} />
              {query.hasNextPage && <More query={query} />}
            </>
          )
        }
      </Loaded>
      {creating && <CreateToken onClose={() => setCreating(false)} />}
      {revoking && <Revoke token={revoking} onClose={() => setRevoking(null)} />}
    </Page>
  );
}
