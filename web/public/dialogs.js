// The dialogs: adding or editing a camera, deleting one, and one camera large.
// Each tells its outcome to the caller; the list of cameras belongs to app.js.

/** @import { Tile } from './tile.js' */
import { ApiError } from './api.js';

/** @template {HTMLElement} T @param {string} id @param {new () => T} type @returns {T} */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${id}.`);
  return found;
}

const cameraDialog = byId('camera-dialog', HTMLDialogElement);
const cameraForm = byId('camera-form', HTMLFormElement);
const nameField = byId('camera-name', HTMLInputElement);
const addressField = byId('camera-address', HTMLInputElement);
const saveButton = byId('camera-save', HTMLButtonElement);
const fields = { name: nameField, rtsp_url: addressField };

/** @typedef {{name: string, rtsp_url: string}} CameraMembers */

/** @type {(members: CameraMembers) => Promise<unknown>} */
let save = async () => {};

/** @param {{path: string, message: string}[]} issues @param {string} [rest] what belongs to no field */
function showErrors(issues, rest = '') {
  let first;
  for (const [name, field] of Object.entries(fields)) {
    const message = issues.find(({ path }) => path === name)?.message ?? '';
    // The server writes whole sentences or, for simple checks, their second half: "must not be empty".
    const label = field.labels?.[0]?.textContent ?? name;
    const sentence = /^(is|must) /.test(message) ? `${label} ${message}.` : message;
    byId(`${name}-error`, HTMLElement).textContent = sentence;
    field.setAttribute('aria-invalid', String(message !== ''));
    if (message) first ??= field;
  }
  byId('form-error', HTMLElement).textContent = rest;
  first?.focus();
}

cameraForm.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (saveButton.disabled) return;
  const members = { name: nameField.value.trim(), rtsp_url: addressField.value.trim() };
  const issues = [];
  if (!members.name) issues.push({ path: 'name', message: 'Give the camera a name, such as Front door.' });
  if (!members.rtsp_url) issues.push({ path: 'rtsp_url', message: 'Enter the camera’s RTSP address.' });
  showErrors(issues);
  if (issues.length > 0) return;
  saveButton.disabled = true;
  try {
    await save(members);
    cameraDialog.close();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    const known = error.issues.filter(({ path }) => path in fields);
    showErrors(known, known.length > 0 ? '' : error.message);
  } finally {
    saveButton.disabled = false;
  }
});
byId('camera-cancel', HTMLButtonElement).addEventListener('click', () => cameraDialog.close());

/**
 * Asks for a camera's name and address until `action` accepts them or the user gives up.
 * @param {{title: string, button: string, name?: string | undefined, address?: string | undefined}} words
 * @param {(members: CameraMembers) => Promise<unknown>} action an ApiError of it is shown at the field
 */
export function askForCamera({ title, button, name = '', address = '' }, action) {
  save = action;
  byId('camera-title', HTMLElement).textContent = title;
  saveButton.textContent = button;
  nameField.value = name;
  addressField.value = address;
  showErrors([]);
  cameraDialog.showModal();
  nameField.select();
}

/** @param {string} name @returns {Promise<boolean>} whether the user wants the camera deleted */
export function confirmDelete(name) {
  const dialog = byId('delete-dialog', HTMLDialogElement);
  byId('delete-title', HTMLElement).textContent = `Delete “${name}”?`;
  dialog.returnValue = 'cancel';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'delete'), { once: true });
  });
}

const largeDialog = byId('large', HTMLDialogElement);
/** @type {Tile | undefined} */
let largeTile;

/** Moves the tile's picture into the large view; the tile keeps its place on the page. @param {Tile} tile */
export function enlarge(tile) {
  putBack();
  largeTile = tile;
  tile.large = true;
  byId('large-place', HTMLElement).append(tile.view);
  renderLarge();
  if (!largeDialog.open) largeDialog.showModal();
}

/** The camera that is shown large. */
export function enlarged() {
  return largeTile;
}

export function closeLarge() {
  largeDialog.close();
}

export function renderLarge() {
  if (!largeTile) return;
  const { fps, delay, viewers } = largeTile.figures();
  byId('large-name', HTMLElement).textContent = largeTile.stream.name;
  byId('large-figures', HTMLElement).textContent =
    `${largeTile.look().word} · ${fps} · ${delay} · ${viewers}`;
}

function putBack() {
  if (!largeTile) return;
  largeTile.element.querySelector('.screen')?.append(largeTile.view);
  largeTile.large = false;
  largeTile = undefined;
}

largeDialog.addEventListener('close', () => {
  const tile = largeTile;
  putBack();
  /** @type {HTMLElement | null | undefined} */ (tile?.element.querySelector('.screen'))?.focus();
});
// A click beside the picture closes, as people expect of a large view.
largeDialog.addEventListener('click', (event) => {
  if (event.target === largeDialog) largeDialog.close();
});
