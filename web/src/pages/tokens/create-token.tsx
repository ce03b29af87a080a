// Making an API token, and showing its secret the one time it can be shown.

import { useState } from 'react';
import { formErrorOf, issueOf } from '../../api/errors.ts';
import { useCreateToken } from '../../api/mutations.ts';
import type { NewTokenReply, Role } from '../../api/types.ts';
import { text } from '../../text.ts';
import { Button } from '../../ui/button.tsx';
import { Input, Select } from '../../ui/controls.tsx';
import { CopyField } from '../../ui/copy-field.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field, FormError } from '../../ui/field.tsx';
import { RoleChoice } from '../../ui/role.tsx';

type Expiry = keyof typeof text.tokens.expiry;

const expiries: readonly Expiry[] = ['7', '30', '90', '365', 'never'];
const dayMs = 86_400_000;

function Secret({ made, onClose }: { readonly made: NewTokenReply; readonly onClose: () => void }) {
  return (
    <Dialog
      title={text.tokens.secretTitle(made.token.name)}
      description={text.tokens.secretOnce}
      // Escape would lose it for good.
      dismissible={false}
      onClose={onClose}
      footer={
        <Button tone="primary" onClick={onClose}>
          {text.tokens.done}
        </Button>
      }
    >
      <CopyField label={text.tokens.secret} value={made.secret} failure={text.tokens.copyFailed} />
      <div className="flex flex-col gap-1.5">
        <p className="font-medium text-sm">{text.tokens.usage}</p>
        <pre className="whitespace-pre-wrap rounded-md bg-sunken p-3 font-mono text-sm">
          {`curl -H "Authorization: Bearer …" ${location.origin}/api/streams/`}
        </pre>
      </div>
    </Dialog>
  );
}

export function CreateToken({ onClose }: { readonly onClose: () => void }) {
  const create = useCreateToken();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [expiry, setExpiry] = useState<Expiry>('90');
  if (create.data) return <Secret made={create.data} onClose={onClose} />;

  function submit() {
    if (create.isPending) return;
    const expires_at =
      expiry === 'never' ? null : new Date(Date.now() + Number(expiry) * dayMs).toISOString();
    create.mutate({ name, role, expires_at });
  }

  return (
    <Dialog
      title={text.tokens.create}
      onSubmit={submit}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{text.ui.cancel}</Button>
          <Button type="submit" tone="primary" busy={create.isPending}>
            {text.tokens.create}
          </Button>
        </>
      }
    >
      <Field label={text.tokens.name} hint={text.tokens.nameHint} error={issueOf(create.error, 'name')}>
        {(control) => (
          <Input
            {...control}
            autoFocus
            autoComplete="off"
            maxLength={100}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <RoleChoice value={role} onChange={setRole} />
      <Field
        label={text.tokens.expires}
        hint={text.tokens.expiryHint}
        error={issueOf(create.error, 'expires_at')}
      >
        {(control) => (
          <Select
            {...control}
            value={expiry}
            onChange={setExpiry}
            options={expiries.map((value) => ({ value, label: text.tokens.expiry[value] }))}
          />
        )}
      </Field>
      <FormError>{formErrorOf(create.error, ['name', 'expires_at'])}</FormError>
    </Dialog>
  );
}
