// Whether alerts are told by the browser while the page is in the background. Telling them is in shell/alert-notifications.tsx.

import { useState } from 'react';
import { usePreference } from '../../preferences.ts';
import { text } from '../../text.ts';
import { Switch } from '../../ui/controls.tsx';

export function Notifications() {
  const [notifications, setNotifications] = usePreference('notifications');
  const supported = 'Notification' in window && isSecureContext;
  const [permission, setPermission] = useState(() => (supported ? Notification.permission : 'denied'));
  const refused = supported && permission === 'denied';

  async function choose(on: boolean) {
    if (!on) {
      setNotifications('off');
      return;
    }
    const answer = await Notification.requestPermission();
    setPermission(answer);
    setNotifications(answer === 'granted' ? 'on' : 'off');
  }

  return (
    <div className="flex max-w-md flex-col gap-2">
      <Switch
        checked={supported && permission === 'granted' && notifications === 'on'}
        disabled={!supported || refused}
        onChange={choose}
        label={text.settings.notify}
        hint={text.settings.notifyHint}
      />
      {!supported && <p className="text-sm text-warn">{text.settings.notifyInsecure}</p>}
      {refused && <p className="text-sm text-warn">{text.settings.notifyRefused}</p>}
    </div>
  );
}
