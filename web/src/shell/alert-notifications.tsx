// Tells alerts by the browser while the page is in the background, for those who have asked for it under Settings.

import { useCallback } from 'react';
import { useLocation } from 'wouter';
import { useFaceAlerts } from '../api/live.ts';
import { useStreams } from '../api/queries.ts';
import type { FaceAlertMessage } from '../api/types.ts';
import { formatPercent, formatTime } from '../format.ts';
import { usePreference } from '../preferences.ts';
import { text } from '../text.ts';

/** Null where pages may not make any, as on Android: there only service workers may, and the constructor throws. */
function made(title: string, options: NotificationOptions): Notification | null {
  try {
    return new Notification(title, options);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

export function AlertNotifications() {
  const [notifications] = usePreference('notifications');
  const [, navigate] = useLocation();
  const { data: streams } = useStreams();
  const on = notifications === 'on' && 'Notification' in window;

  const tell = useCallback(
    (alert: FaceAlertMessage) => {
      if (!on || Notification.permission !== 'granted' || (!document.hidden && document.hasFocus())) return;
      const camera = streams?.find(({ id }) => id === alert.stream_id)?.name ?? text.nav.camera;
      const notification = made(text.notifications.title(camera), {
        body: text.notifications.body(formatTime(alert.timestamp), formatPercent(alert.confidence)),
        icon: alert.snapshot ?? '/icon.svg',
        // One for each camera: the newest stands for those before it.
        tag: `alert-${alert.stream_id}`,
      });
      notification?.addEventListener('click', () => {
        window.focus();
        navigate(`/alerts?alert=${encodeURIComponent(alert.alert_id)}`);
        notification.close();
      });
    },
    [on, streams, navigate],
  );
  useFaceAlerts(tell);
  return null;
}
