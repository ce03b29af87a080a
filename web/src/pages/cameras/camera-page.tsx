// One camera: its live picture with the threshold tried on it, what it sends, its settings.
// Watching with events beside it is the wall's large view.

import { ArrowLeft, Cctv, MonitorPlay, Pencil } from 'lucide-react';
import { type ReactNode, useCallback, useState } from 'react';
import { useLocation } from 'wouter';
import { ApiError } from '../../api/errors.ts';
import { useStream, useStreamStats } from '../../api/queries.ts';
import type { Stream } from '../../api/types.ts';
import { formatCount, formatDuration } from '../../format.ts';
import { useSession } from '../../session.ts';
import { Page } from '../../shell/page.tsx';
import { text } from '../../text.ts';
import { Button, IconButton, LinkButton } from '../../ui/button.tsx';
import { Switch } from '../../ui/controls.tsx';
import { Loaded } from '../../ui/list-state.tsx';
import { Badge, Card, EmptyState, Skeleton } from '../../ui/surface.tsx';
import { Time } from '../../ui/time.tsx';
import { tileLink } from '../wall/tile.tsx';
import { CameraForm } from './camera-form.tsx';
import { CameraMenu } from './camera-menu.tsx';
import { CameraStatus, videoWords } from './camera-status.tsx';
import { DeleteCamera } from './delete-camera.tsx';
import { PreviewPicture } from './preview-picture.tsx';
import { Threshold } from './threshold.tsx';
import { useCameraActions } from './use-camera-actions.ts';

const words = text.cameras;

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div className="flex justify-between gap-6 border-line border-b py-2 last:border-b-0">
      <dt className="shrink-0 text-ink-faint">{name}</dt>
      <dd className="tabular min-w-0 text-right">{children}</dd>
    </div>
  );
}

function Facts({ stream }: { readonly stream: Stream }) {
  const { data: stats } = useStreamStats(stream.id, 5_000);
  const {
    video,
    viewers,
    rtsp_url: address,
    description,
    last_connected: connected,
    created_at: created,
  } = stream;
  const online = stream.status === 'online' && stats;
  return (
    <dl className="px-4 py-1 text-sm">
      {address && (
        <Fact name={words.address}>
          <span className="break-all font-mono text-xs">{address}</span>
        </Fact>
      )}
      <Fact name={words.video}>{videoWords(video) ?? text.ui.none}</Fact>
      <Fact name={words.facts.transport}>{(online && stats.transport?.toUpperCase()) || text.ui.none}</Fact>
      <Fact name={words.bitrate}>{online ? words.bitrateValue(stats.bitrate_kbps) : text.ui.none}</Fact>
      <Fact name={words.lost}>{online ? formatCount(stats.lost_packets) : text.ui.none}</Fact>
      <Fact name={words.uptime}>{online ? formatDuration(stats.uptime) : text.ui.none}</Fact>
      <Fact name={words.viewers}>{formatCount(stats?.viewers ?? viewers)}</Fact>
      <Fact name={words.lastConnected}>{connected ? <Time value={connected} /> : text.time.never}</Fact>
      <Fact name={words.created}>
        <Time value={created} />
      </Fact>
      {description && (
        <Fact name={words.note}>
          <span className="whitespace-pre-line">{description}</span>
        </Fact>
      )}
    </dl>
  );
}

function Detection({ stream, children }: { readonly stream: Stream; readonly children: ReactNode }) {
  const { may } = useSession();
  const actions = useCameraActions(stream);
  const { detection_enabled: on } = stream;
  return (
    <div className="flex flex-col gap-5 p-4">
      {may('operator') ? (
        <Switch
          checked={on}
          disabled={actions.busy}
          label={words.detection}
          hint={words.detectionHint}
          onChange={(wanted) => (wanted ? actions.resume() : actions.pause())}
        />
      ) : (
        !on && <Badge tone="warn">{text.wall.detector.off}</Badge>
      )}
      {children}
    </div>
  );
}

function Content({ stream, onEdit }: { readonly stream: Stream; readonly onEdit: () => void }) {
  const [threshold, setThreshold] = useState(stream.confidence_threshold);
  const [faces, setFaces] = useState<readonly number[]>([]);
  const onThreshold = useCallback((value: number) => setThreshold(value), []);
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(20rem,26rem)] xl:gap-6">
      <div className="flex min-w-0 flex-col gap-4">
        <PreviewPicture stream={stream} threshold={threshold} onFaces={setFaces} onEdit={onEdit} />
      </div>
      <div className="flex min-w-0 flex-col gap-4">
        <Card>
          <Detection stream={stream}>
            <Threshold stream={stream} faces={faces} value={threshold} onChange={onThreshold} />
          </Detection>
        </Card>
        <Card>
          <Facts stream={stream} />
        </Card>
      </div>
    </div>
  );
}

function ContentSkeleton() {
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_minmax(20rem,26rem)] xl:gap-6">
      <Skeleton className="aspect-video w-full rounded-lg" />
      <div className="flex flex-col gap-4">
        <Skeleton className="h-64 rounded-lg" />
        <Skeleton className="h-80 rounded-lg" />
      </div>
    </div>
  );
}

function Gone() {
  return (
    <EmptyState
      icon={Cctv}
      title={text.wall.goneTitle}
      actions={<LinkButton to="/cameras">{words.title}</LinkButton>}
    >
      <p>{text.wall.gone}</p>
    </EmptyState>
  );
}

export default function CameraPage({ params }: { readonly params: Record<string, string | undefined> }) {
  const query = useStream(params.id ?? '');
  const { may } = useSession();
  const [, navigate] = useLocation();
  const [open, setOpen] = useState<'edit' | 'delete' | null>(null);
  const { data: stream, error } = query;
  const gone = error instanceof ApiError && error.status === 404;
  const close = () => setOpen(null);

  return (
    <Page
      title={stream?.name ?? text.nav.camera}
      before={
        <IconButton
          icon={ArrowLeft}
          label={words.back}
          className="-ml-2"
          onClick={() => navigate('/cameras')}
        />
      }
      aside={<span role="status">{stream && <CameraStatus status={stream.status} />}</span>}
      actions={
        stream && (
          <>
            <LinkButton to={tileLink(stream.id)} icon={MonitorPlay} className="max-md:hidden">
              {text.camera.watch}
            </LinkButton>
            {may('operator') && (
              <Button icon={Pencil} className="max-md:hidden" onClick={() => setOpen('edit')}>
                {text.camera.edit}
              </Button>
            )}
            <CameraMenu
              stream={stream}
              at="details"
              size="md"
              onEdit={() => setOpen('edit')}
              onDelete={() => setOpen('delete')}
            />
          </>
        )
      }
    >
      {gone ? (
        <Gone />
      ) : (
        <Loaded query={query} skeleton={<ContentSkeleton />}>
          {(loaded) => <Content key={loaded.id} stream={loaded} onEdit={() => setOpen('edit')} />}
        </Loaded>
      )}
      {stream && open === 'edit' && <CameraForm stream={stream} onClose={close} />}
      {stream && open === 'delete' && (
        <DeleteCamera stream={stream} onDeleted={() => navigate('/cameras')} onClose={close} />
      )}
    </Page>
  );
}
