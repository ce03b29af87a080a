// The menu of a camera, wherever it is shown: what the role may do to it.
// Editing and deleting open dialogs, which belong to the page.

import { Ellipsis, Info, MonitorPlay, Pause, Pencil, Play, Power, ScanFace, Trash2 } from 'lucide-react';
import type { Stream } from '../../api/types.ts';
import { useSession } from '../../session.ts';
import { text } from '../../text.ts';
import { type ButtonTone, IconButton } from '../../ui/button.tsx';
import { Menu, MenuItem, MenuLink, MenuSeparator } from '../../ui/menu.tsx';
import { useCameraActions } from './use-camera-actions.ts';

export interface CameraMenuProps {
  readonly stream: Stream;
  readonly onEdit: (stream: Stream) => void;
  readonly onDelete: (stream: Stream) => void;
  /** Where one is already needs no way there. */
  readonly at?: 'wall' | 'list' | 'details' | 'large';
  readonly tone?: ButtonTone;
  readonly size?: 'sm' | 'md';
}

export const cameraLink = (id: string) => `/cameras/${encodeURIComponent(id)}`;

export function CameraMenu({
  stream,
  onEdit,
  onDelete,
  at = 'wall',
  tone = 'quiet',
  size = 'sm',
}: CameraMenuProps) {
  const { may } = useSession();
  const actions = useCameraActions(stream);
  const { id, name, status, detection_enabled: detects } = stream;
  return (
    <Menu
      trigger={(trigger) => (
        <IconButton {...trigger} icon={Ellipsis} tone={tone} size={size} label={text.ui.moreActions(name)} />
      )}
    >
      {(at === 'list' || at === 'details') && (
        <MenuLink to={`/?camera=${encodeURIComponent(id)}`} icon={MonitorPlay}>
          {text.camera.watch}
        </MenuLink>
      )}
      {at !== 'details' && (
        <MenuLink to={cameraLink(id)} icon={Info}>
          {text.camera.details}
        </MenuLink>
      )}
      {may('operator') && (
        <>
          <MenuItem icon={Pencil} onSelect={() => onEdit(stream)}>
            {text.camera.editMenu}
          </MenuItem>
          <MenuSeparator />
          {detects ? (
            <MenuItem icon={Pause} onSelect={actions.pause}>
              {text.camera.pauseDetection}
            </MenuItem>
          ) : (
            <MenuItem icon={ScanFace} onSelect={actions.resume}>
              {text.camera.resumeDetection}
            </MenuItem>
          )}
          {status === 'offline' ? (
            <MenuItem icon={Play} onSelect={actions.start}>
              {text.camera.start}
            </MenuItem>
          ) : (
            <MenuItem icon={Power} onSelect={actions.stop}>
              {text.camera.stop}
            </MenuItem>
          )}
          <MenuSeparator />
          <MenuItem icon={Trash2} tone="danger" onSelect={() => onDelete(stream)}>
            {text.camera.remove}
          </MenuItem>
        </>
      )}
    </Menu>
  );
}
