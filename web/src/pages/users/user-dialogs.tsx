// The dialogs in which an admin adds, changes and deletes users.

import { useState } from 'react';
import { formErrorOf, issueOf } from '../../api/errors.ts';
import { useChangeUser, useCreateUser, useDeleteUser } from '../../api/mutations.ts';
import type { Role, User } from '../../api/types.ts';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Input, PasswordInput } from '../../ui/controls.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, FormError } from '../../ui/field.tsx';
import { RoleChoice } from '../../ui/role.tsx';
import { toast } from '../../ui/toast.tsx';

interface DialogProps {
  readonly onClose: () => void;
}

interface UserDialogProps extends DialogProps {
  readonly user: User;
}

function Footer({ label, busy, onClose }: DialogProps & { readonly label: string; readonly busy: boolean }) {
  return (
    <>
      <Button onClick={onClose}>{text.ui.cancel}</Button>
      <Button type="submit" tone="primary" busy={busy}>
        {label}
      </Button>
    </>
  );
}

export function AddUser({ onClose }: DialogProps) {
  const create = useCreateUser();
  const [input, setInput] = useState({ username: '', password: '', email: '' });
  const [role, setRole] = useState<Role>('viewer');

  function submit() {
    if (create.isPending) return;
    create.mutate(
      { ...input, role },
      {
        onSuccess: ({ user }) => {
          toast.done(text.users.added(user.username));
          onClose();
        },
      },
    );
  }

  return (
    <Dialog
      title={text.users.add}
      onSubmit={submit}
      onClose={onClose}
      footer={<Footer label={text.users.create} busy={create.isPending} onClose={onClose} />}
    >
      <Field label={text.users.name} error={issueOf(create.error, 'username')}>
        {(control) => (
          <Input
            {...control}
            autoFocus
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            value={input.username}
            onChange={(event) => setInput({ ...input, username: event.target.value })}
          />
        )}
      </Field>
      <Field
        label={text.users.password}
        hint={text.users.passwordHint}
        error={issueOf(create.error, 'password')}
      >
        {(control) => (
          <PasswordInput
            {...control}
            autoComplete="new-password"
            value={input.password}
            onChange={(event) => setInput({ ...input, password: event.target.value })}
          />
        )}
      </Field>
      <Field label={text.users.emailOptional} error={issueOf(create.error, 'email')}>
        {(control) => (
          <Input
            {...control}
            type="email"
            autoComplete="off"
            value={input.email}
            onChange={(event) => setInput({ ...input, email: event.target.value })}
          />
        )}
      </Field>
      <RoleChoice value={role} onChange={setRole} />
      <FormError>{formErrorOf(create.error, ['username', 'password', 'email'])}</FormError>
    </Dialog>
  );
}

export function ChangeRole({ user, you, onClose }: UserDialogProps & { readonly you: boolean }) {
  const change = useChangeUser();
  const [role, setRole] = useState(user.role);

  function submit() {
    if (change.isPending) return;
    if (role === user.role) {
      onClose();
      return;
    }
    change.mutate(
      { id: user.id, role },
      {
        onSuccess: () => {
          toast.done(text.users.roleChanged(user.username, text.role.names[role]));
          onClose();
        },
      },
    );
  }

  return (
    <Dialog
      title={text.users.changeRoleTitle(user.username)}
      description={you ? text.users.ownRoleEffect : text.users.roleEffect}
      onSubmit={submit}
      onClose={onClose}
      footer={<Footer label={text.ui.save} busy={change.isPending} onClose={onClose} />}
    >
      <RoleChoice value={role} onChange={setRole} />
      <FormError>{formErrorOf(change.error, [])}</FormError>
    </Dialog>
  );
}

export function ResetPassword({ user, onClose }: UserDialogProps) {
  const change = useChangeUser();
  const [password, setPassword] = useState('');

  function submit() {
    if (change.isPending) return;
    change.mutate(
      { id: user.id, password },
      {
        onSuccess: () => {
          toast.done(text.users.passwordSet(user.username));
          onClose();
        },
      },
    );
  }

  return (
    <Dialog
      title={text.users.resetPasswordTitle(user.username)}
      description={text.users.resetPasswordEffect}
      width="sm"
      onSubmit={submit}
      onClose={onClose}
      footer={<Footer label={text.users.setPassword} busy={change.isPending} onClose={onClose} />}
    >
      <Field
        label={text.settings.newPassword}
        hint={text.users.passwordHint}
        error={issueOf(change.error, 'password')}
      >
        {(control) => (
          <PasswordInput
            {...control}
            autoFocus
            autoComplete="new-password"
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
        )}
      </Field>
      <FormError>{formErrorOf(change.error, ['password'])}</FormError>
    </Dialog>
  );
}

export function DeleteUser({ user, onClose }: UserDialogProps) {
  const remove = useDeleteUser();
  return (
    <ConfirmDialog
      title={text.users.removeTitle(user.username)}
      consequences={text.users.removeEffects}
      confirmLabel={text.users.removeConfirm}
      onConfirm={async () => {
        await remove.mutateAsync(user.id);
        toast.done(text.users.removed(user.username));
      }}
      onClose={onClose}
    />
  );
}
