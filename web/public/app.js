// The page: which cameras there are, kept up to date with the server, and what the buttons do.
// A camera's own tile is in tile.js, the dialogs in dialogs.js, the requests in api.js.

/** @import { Stream } from './api.js' */
import { alertsChanged, camerasKnown, stopWatchingAlerts, watchAlerts } from './alerts.js';
import * as api from './api.js';
import { askForCamera, byId, closeLarge, confirmDelete, enlarge, enlarged, renderLarge } from './dialogs.js';
import { leave, open } from './entrance.js';
import { Events } from './events.js';
import { Tile } from './tile.js';

const pollEvery = 5_000;
const pollInTrouble = 2_000;
const renderEvery = 500;
/** Many cameras may change at once, as when a switch fails; one request then answers for all of them. */
const shortly = 300;

const list = byId('cameras', HTMLUListElement);
const trouble = byId('trouble', HTMLElement);
const summary = byId('summary', HTMLElement);
const template = byId('tile', HTMLTemplateElement);

/** @type {Map<string, Tile>} */
const tiles = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let nextPoll;
let pollNumber = 0;
/** Somebody is signed in. */
let inside = false;
const mayPlay = () => inside && !document.hidden;

const visibility = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      for (const tile of tiles.values()) if (tile.element === target) tile.onScreen = isIntersecting;
    }
  },
  { rootMargin: '200px' },
);

/** @param {unknown} error */
function tell(error) {
  if (!(error instanceof api.ApiError)) throw error;
  trouble.textContent = error.message;
}

/** @param {Stream[]} streams */
function show(streams) {
  const ids = new Set(streams.map(({ id }) => id));
  for (const [id, tile] of tiles) {
    if (ids.has(id)) continue;
    if (enlarged() === tile) closeLarge();
    visibility.unobserve(tile.element);
    tile.close();
    tiles.delete(id);
  }
  for (const stream of streams) {
    const known = tiles.get(stream.id);
    if (known) {
      known.update(stream);
      continue;
    }
    const tile = new Tile(stream, template, { enlarge, edit, remove, toggle, mayPlay });
    tiles.set(stream.id, tile);
    list.append(tile.element);
    visibility.observe(tile.element);
  }
  byId('empty', HTMLElement).hidden = streams.length > 0;
  camerasKnown(streams.length > 0);
  byId('add', HTMLElement).hidden = streams.length === 0;
  summarize();
}

function summarize() {
  const kinds = [...tiles.values()].map((tile) => tile.look().kind);
  const live = kinds.filter((kind) => kind === 'live').length;
  const text = kinds.length === 0 ? '' : `${live} of ${kinds.length} live`;
  if (summary.textContent !== text) summary.textContent = text;
  document.title = text === '' ? 'Cameras' : `Cameras · ${text}`;
}

/** Asks for the list now, then regularly; of two requests under way only the later one counts. */
async function poll() {
  clearTimeout(nextPoll);
  const number = ++pollNumber;
  let wait = pollEvery;
  try {
    const streams = await api.listStreams();
    if (number !== pollNumber) return;
    const cameBack = trouble.textContent !== '';
    trouble.textContent = '';
    show(streams);
    if (cameBack) for (const tile of tiles.values()) tile.player.hurry();
  } catch (error) {
    // Behind the sign-in there is nobody to tell.
    if (number !== pollNumber || !inside) return;
    tell(error);
    trouble.textContent += ' Trying again…';
    wait = pollInTrouble;
  }
  if (mayPlay()) nextPoll = setTimeout(poll, wait);
}

function add() {
  askForCamera({ title: 'Add camera', button: 'Add' }, async (members) => {
    const stream = await api.createStream(members);
    if (stream.status === 'offline') await api.switchStream(stream.id, 'start');
    await poll();
    tiles.get(stream.id)?.element.scrollIntoView({ block: 'nearest', behavior: 'smooth' });
  });
}

/** @param {Tile} tile */
function edit({ stream }) {
  const words = { title: `Edit ${stream.name}`, button: 'Save', name: stream.name, address: stream.rtsp_url };
  askForCamera(words, async (members) => {
    await api.changeStream(stream.id, members);
    await poll();
  });
}

/** @param {Tile} tile */
async function remove(tile) {
  if (!(await confirmDelete(tile.stream.name))) return;
  await act(tile, () => api.deleteStream(tile.stream.id));
}

/** @param {Tile} tile */
async function toggle(tile) {
  await act(tile, () =>
    api.switchStream(tile.stream.id, tile.stream.status === 'offline' ? 'start' : 'stop'),
  );
}

/** @param {Tile} tile @param {() => Promise<unknown>} action */
async function act(tile, action) {
  if (tile.busy) return;
  tile.busy = true;
  tile.render();
  try {
    await action();
    await poll();
  } catch (error) {
    tell(error);
  } finally {
    tile.busy = false;
    tile.render();
  }
}

byId('add', HTMLElement).addEventListener('click', add);
byId('add-first', HTMLElement).addEventListener('click', add);

const events = new Events(({ type }) => {
  if (type === 'face_alert') alertsChanged();
  if (type !== 'status') return;
  clearTimeout(nextPoll);
  nextPoll = setTimeout(poll, shortly);
});

function begin() {
  poll();
  watchAlerts(tell);
  events.open();
}

function end() {
  clearTimeout(nextPoll);
  // What is under way must not be shown any more.
  pollNumber += 1;
  stopWatchingAlerts();
  events.close();
}

function audienceChanged() {
  for (const tile of tiles.values()) tile.audienceChanged();
  if (mayPlay()) begin();
  else end();
}

document.addEventListener('visibilitychange', audienceChanged);

api.onSignedOut(() => {
  if (!inside) return;
  inside = false;
  audienceChanged();
  leave();
});

addEventListener('online', () => {
  for (const tile of tiles.values()) tile.player.hurry();
  if (mayPlay()) poll();
});

// Left and right go through the cameras while one is large.
addEventListener('keydown', (event) => {
  const current = enlarged();
  const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
  if (!current || step === 0) return;
  const all = [...tiles.values()];
  const next = all[(all.indexOf(current) + step + all.length) % all.length];
  if (next && next !== current) enlarge(next);
});

setInterval(() => {
  if (!mayPlay()) return;
  for (const tile of tiles.values()) tile.render();
  renderLarge();
  summarize();
}, renderEvery);

open(() => {
  inside = true;
  audienceChanged();
});
