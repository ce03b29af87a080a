// What every icon of the page looks like; the icons themselves come from lucide-react, imported one by one.
// Icons are decoration: what they mean is said in text or in the label of their button.

import type { LucideIcon } from 'lucide-react';

export type Icon = LucideIcon;

/** Spread into an icon: `<Trash2 {...iconLook} />`. As high as the line of text beside it. */
export const iconLook = {
  size: '1.125em',
  strokeWidth: 1.9,
  'aria-hidden': true,
  className: 'shrink-0',
} as const;
