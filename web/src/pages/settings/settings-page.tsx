// What somebody sets for themselves: password, theme, notifications; and what this service is.

import { ExternalLink } from 'lucide-react';
import { version } from '../../../../package.json';
import { type Theme, usePreference } from '../../preferences.ts';
import { Page } from '../../shell/page.tsx';
import { text } from '../../text.ts';
import { SegmentedChoice } from '../../ui/controls.tsx';
import { iconLook } from '../../ui/icon.ts';
import { Section } from '../../ui/surface.tsx';
import { Notifications } from './notifications.tsx';
import { OwnPassword } from './own-password.tsx';

const themes: readonly Theme[] = ['system', 'light', 'dark'];

function DocLink(props: { readonly href: string; readonly label: string; readonly hint: string }) {
  return (
    <li>
      <a
        href={props.href}
        target="_blank"
        rel="noreferrer"
        className="inline-flex items-center gap-1.5 font-medium text-accent-ink hover:underline"
      >
        {props.label}
        <ExternalLink {...iconLook} size="0.875em" />
      </a>
      <p className="text-ink-soft text-sm">{props.hint}</p>
    </li>
  );
}

export default function SettingsPage() {
  const [theme, setTheme] = usePreference('theme');
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return (
    <Page title={text.settings.title} width="text">
      <Section title={text.settings.password} description={text.settings.passwordAbout}>
        <OwnPassword />
      </Section>
      <Section title={text.settings.appearance} description={text.settings.appearanceAbout}>
        <SegmentedChoice
          label={text.theme.label}
          value={theme}
          onChange={setTheme}
          options={themes.map((value) => ({ value, label: text.theme[value] }))}
        />
      </Section>
      <Section title={text.settings.notifications} description={text.settings.notificationsAbout}>
        <Notifications />
      </Section>
      <Section title={text.settings.about}>
        <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1.5">
          <dt className="text-ink-soft">{text.settings.version}</dt>
          <dd className="tabular">
            {text.product} {version}
          </dd>
          <dt className="text-ink-soft">{text.settings.timeZone}</dt>
          <dd>{timeZone}</dd>
        </dl>
        <ul className="mt-4 flex flex-col gap-3">
          <DocLink href="/api/docs/" label={text.settings.apiDocs} hint={text.settings.apiDocsHint} />
          <DocLink href="/api/openapi.json" label={text.settings.openApi} hint={text.settings.openApiHint} />
        </ul>
      </Section>
    </Page>
  );
}
