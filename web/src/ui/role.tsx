// A role, shown and chosen.

import type { Role } from '../api/types.ts';
import { roles } from '../role.ts';
import { text } from '../text.ts';
import { ChoiceList } from './controls.tsx';
import { Badge, type Tone } from './surface.tsx';

const tones: Record<Role, Tone> = { viewer: 'neutral', operator: 'good', admin: 'accent' };

export function RoleBadge({ role }: { readonly role: Role }) {
  return <Badge tone={tones[role]}>{text.role.names[role]}</Badge>;
}

export function RoleChoice({
  value,
  onChange,
}: {
  readonly value: Role;
  readonly onChange: (role: Role) => void;
}) {
  return (
    <ChoiceList
      label={text.role.label}
      value={value}
      onChange={onChange}
      options={roles.map((role) => ({
        value: role,
        label: text.role.names[role],
        hint: text.role.hints[role],
      }))}
    />
  );
}
