// The panel of the latest alerts: its list, kept up to date with the server, and what its buttons do.
// One alert large is in alert-view.js, the requests in api.js.

/** @import { Alert } from './api.js' */
import { showAlert } from './alert-view.js';
import * as api from './api.js';
import { byId } from './dialogs.js';
import { percent } from './faces.js';

const shown = 30;
/** Other people mark alerts too, and an alert's picture and count change while the person stays. */
const askEvery = 10_000;
/** Many cameras may raise alerts at once; one request then answers for all of them. */
const shortly = 300;

const panel = byId('alerts', HTMLElement);
const list = byId('alert-list', HTMLUListElement);
const unviewedText = byId('alerts-unviewed', HTMLElement);
const allButton = byId('alerts-all', HTMLButtonElement);
const template = byId('alert', HTMLTemplateElement);

/** @type {Map<string, {alert: Alert, element: HTMLElement}>} */
const entries = new Map();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let nextRequest;
let requestNumber = 0;
let first = true;
let anyCamera = true;
/** @type {(error: unknown) => void} */
let tell = () => {};

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });

/** In the viewer's time zone; the day only where it is not today. @param {string} timestamp ISO 8601 */
export function timeText(timestamp) {
  const time = new Date(timestamp);
  const today = time.toDateString() === new Date().toDateString();
  return today ? clock.format(time) : `${day.format(time)}, ${clock.format(time)}`;
}

/** How many visits it stands for, when there are several; else empty. @param {Alert} alert */
export function sightingsText({ detections_count: count }) {
  return count > 1 ? ` · ${count} sightings` : '';
}

/** @param {Element} root @param {string} selector @param {string} text */
function write(root, selector, text) {
  const element = root.querySelector(selector);
  if (element && element.textContent !== text) element.textContent = text;
}

/** @param {Alert} alert @returns {HTMLElement} */
function makeEntry({ id }) {
  const copy = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const element = /** @type {HTMLElement} */ (copy.firstElementChild);
  const present = () => /** @type {{alert: Alert}} */ (entries.get(id)).alert;
  element.querySelector('.open')?.addEventListener('click', () => {
    showAlert(present());
    mark(id, false);
  });
  const image = element.querySelector('img');
  image?.addEventListener('error', () => {
    // Replaced by a better one just now: the next list names it.
    image.hidden = true;
    alertsChanged();
  });
  element.querySelector('.mark')?.addEventListener('click', () => mark(id, true));
  return element;
}

/** @param {HTMLElement} element @param {Alert} alert */
function fillEntry(element, alert) {
  element.classList.toggle('unviewed', !alert.viewed);
  write(element, '.alert-name', alert.stream);
  write(element, '.alert-facts', `${percent(alert.confidence_score)}${sightingsText(alert)}`);
  write(element, 'time', timeText(alert.timestamp));
  const time = /** @type {HTMLTimeElement} */ (element.querySelector('time'));
  time.dateTime = alert.timestamp;
  time.title = whole.format(new Date(alert.timestamp));
  const image = /** @type {HTMLImageElement} */ (element.querySelector('img'));
  const address = alert.thumbnail_url ?? alert.image_url;
  if (image.getAttribute('src') !== address) {
    if (address) image.src = address;
    image.hidden = !address;
  }
  const button = /** @type {HTMLButtonElement} */ (element.querySelector('.mark'));
  if (alert.viewed && button === document.activeElement)
    /** @type {HTMLElement} */ (element.querySelector('.open')).focus();
  button.hidden = alert.viewed;
  button.setAttribute('aria-label', `Mark alert of ${alert.stream}, ${timeText(alert.timestamp)}, viewed`);
}

/** @param {Alert[]} alerts newest first @param {number} unviewed of all, also those that are not listed */
function show(alerts, unviewed) {
  const ids = new Set(alerts.map(({ id }) => id));
  for (const [id, { element }] of entries) {
    if (ids.has(id)) continue;
    element.remove();
    entries.delete(id);
  }
  alerts.forEach((alert, place) => {
    const element = entries.get(alert.id)?.element ?? makeEntry(alert);
    if (!entries.has(alert.id) && !first && !alert.viewed) element.classList.add('fresh');
    entries.set(alert.id, { alert, element });
    fillEntry(element, alert);
    if (list.children[place] !== element) list.insertBefore(element, list.children[place] ?? null);
  });
  first = false;
  panel.removeAttribute('data-loading');
  byId('alerts-empty', HTMLElement).hidden = alerts.length > 0;
  allButton.hidden = unviewed === 0;
  const text = unviewed === 0 ? '' : `${unviewed} new`;
  if (unviewedText.textContent !== text) unviewedText.textContent = text;
  place();
}

/** Without cameras and alerts there is nothing to tell. */
function place() {
  panel.hidden = !anyCamera && entries.size === 0;
}

async function refresh() {
  clearTimeout(nextRequest);
  const number = ++requestNumber;
  try {
    const { alerts, unviewed } = await api.listAlerts(shown);
    if (number === requestNumber) show(alerts, unviewed);
  } catch (error) {
    // A server that is away is told of by the list of cameras, which is asked for more often.
    if (!(error instanceof api.ApiError)) throw error;
  }
  if (number === requestNumber && !document.hidden) nextRequest = setTimeout(refresh, askEvery);
}

/** @param {() => Promise<unknown>} change @param {boolean} asked by a button, and not by the way */
async function apply(change, asked) {
  try {
    await change();
    await refresh();
  } catch (error) {
    // Who may only look sees alerts without marking them.
    const mayNot = error instanceof api.ApiError && error.status === 403;
    if (asked || !mayNot) tell(error);
  }
}

/** @param {string} id @param {boolean} asked */
async function mark(id, asked) {
  if (!entries.get(id)?.alert.viewed) await apply(() => api.markViewed(id), asked);
}

allButton.addEventListener('click', () => apply(api.markAllViewed, true));

/** Something happened that changes the list. */
export function alertsChanged() {
  clearTimeout(nextRequest);
  nextRequest = setTimeout(refresh, shortly);
}

/** @param {boolean} any whether there is a camera that could raise an alert */
export function camerasKnown(any) {
  anyCamera = any;
  place();
}

/** Begins, or goes on after the page was hidden. @param {(error: unknown) => void} tellUser gets what a button ran into */
export function watchAlerts(tellUser) {
  tell = tellUser;
  refresh();
}

export function stopWatchingAlerts() {
  clearTimeout(nextRequest);
  // What is under way must not set the next one.
  requestNumber += 1;
}
