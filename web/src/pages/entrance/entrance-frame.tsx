// The frame of everything that is shown while nobody is signed in: the product's name and one card.

import type { ReactNode } from 'react';
import { text } from '../../text.ts';

export function EntranceFrame({ children }: { readonly children: ReactNode }) {
  return (
    <main data-entrance className="flex min-h-dvh flex-col items-center gap-6 px-4 pt-[14dvh] pb-10">
      <div className="flex items-center gap-3">
        <img src="/icon.svg" alt="" width="36" height="36" className="size-9" />
        <span className="font-semibold text-xl">{text.product}</span>
      </div>
      {children}
    </main>
  );
}

export function EntranceCard({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <EntranceFrame>
      <section className="flex w-full max-w-sm flex-col gap-4 rounded-xl border border-line bg-surface p-6 shadow-raised">
        <h1 className="font-semibold text-xl">{title}</h1>
        {children}
      </section>
    </EntranceFrame>
  );
}
