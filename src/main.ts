// The life of the server process: settings → app → signals → ordered close.
// What the app is made of is in app.ts.

import { type App, startApp } from './app.ts';
import { createLog, type Log } from './base/log.ts';
import { type Config, ConfigError, loadConfig } from './config.ts';

/** One signal to a whole process group comes twice when a parent passes it on as well. */
const sameSignalMs = 1_000;

/**
 * Runs until SIGINT, SIGTERM or SIGHUP; a second signal, a moment later, ends it at once. When it has returned, the
 * process is to be ended: what did not close in time may still hold it.
 * @param overrides settings that go before the environment's.
 * @returns the exit code.
 * @throws ConfigError when it cannot start.
 */
export async function serve(
  overrides: NodeJS.ProcessEnv = {},
  whenReady: (app: App) => Promise<void> = async () => {},
): Promise<number> {
  const config = loadConfig({ ...process.env, ...overrides });
  const log = createLog(config.debug);
  const stopping = signalled();
  const app = await startApp(config, log);
  greet(config, app, log);
  await whenReady(app);
  const reason = await Promise.race([stopping, app.excluded]);
  if (reason instanceof ConfigError) log.error(reason.message);
  else log.info({ signal: reason }, 'closing');
  const inTime = await closeInTime(app, log);
  return inTime && !(reason instanceof ConfigError) ? 0 : 1;
}

function greet(config: Config, app: App, log: Log): void {
  log.info({ address: app.address, dataDir: config.dataDir, streams: app.streams() }, 'ready');
  if (config.auth === 'off') log.warn('sign-in is switched off: everyone who reaches this address is admin');
  console.error(
    `\n  RTSP Stream Viewer is running at ${app.address}\n  Open it in a browser; Ctrl-C ends it.\n`,
  );
  // Beside the log, never in it: a log is kept and read by others.
  if (app.setupLink !== null)
    console.error(
      `  Open this link to create the first user (valid once, until the next start):\n\n    ${app.setupLink}\n`,
    );
}

function signalled(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let firstAt: number | null = null;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => {
        firstAt ??= performance.now();
        if (performance.now() - firstAt > sameSignalMs) process.exit(1);
        resolve(signal);
      });
  });
}

async function closeInTime(app: App, log: Log): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => resolve('late'), app.closeWithinMs);
  try {
    const outcome = await Promise.race([app.close(), late]);
    if (outcome === 'late') log.error('something did not close in time; leaving anyway');
    return outcome !== 'late';
  } catch (error) {
    log.error({ err: error }, 'closing failed');
    return false;
  } finally {
    clearTimeout(timer);
  }
}
