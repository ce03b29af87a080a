// Who is there: signing in, the first user, signing out. Until somebody is signed in, this covers the page.
// What is shown inside belongs to app.js; nothing of a password or a set-up link is kept here.

/** @import { Me } from './api.js' */
import * as api from './api.js';
import { byId } from './dialogs.js';

const dialog = byId('entrance', HTMLDialogElement);
const form = byId('entrance-form', HTMLFormElement);
const heading = byId('entrance-title', HTMLElement);
const text = byId('entrance-text', HTMLElement);
const nameField = byId('entrance-name', HTMLInputElement);
const passwordField = byId('entrance-password', HTMLInputElement);
const show = byId('entrance-show', HTMLInputElement);
const problem = byId('entrance-error', HTMLElement);
const button = byId('entrance-button', HTMLButtonElement);
const askAgainEvery = 2_000;

const words = {
  'sign-in': { title: 'Sign in', text: '', button: 'Sign in' },
  'set-up': {
    title: 'Create the first user',
    text: 'This user may do everything: add cameras, and more users. Choose a password that is used nowhere else, of 8 characters or more.',
    button: 'Create user',
  },
  closed: {
    title: 'Not set up yet',
    text: 'Open the link that the server printed in its terminal or log when it started. It creates the first user. If it is lost, start the server again: it prints a new one.',
    button: '',
  },
};
/** @typedef {keyof typeof words} Kind */

const usedLink = 'This link is no longer valid: there is a user already. Sign in as that user.';

/** From the address `…/#setup=<secret>`, for this visit only. @type {string | undefined} */
let setupToken;
/** @type {Kind} */
let kind = 'sign-in';
/** Who was there last. @type {Me | undefined} */
let last;
/** @type {((me: Me) => void) | undefined} */
let admit;
/** @type {ReturnType<typeof setInterval> | undefined} */
let countdown;

/** Takes the secret out of the address bar at once: it must not stay in the history, nor be shared by accident. */
function takeSetupToken() {
  const secret = /^#setup=(.+)$/.exec(location.hash)?.[1];
  if (!secret) return false;
  history.replaceState(null, '', location.pathname + location.search);
  setupToken = secret;
  return true;
}

/** @param {Kind} next @param {string} [note] instead of the usual text */
function ask(next, note) {
  // What was typed already is not disturbed.
  if (dialog.open && next === kind && note === undefined) return;
  kind = next;
  const { title, text: usual, button: label } = words[kind];
  heading.textContent = document.title = title;
  text.textContent = note ?? usual;
  problem.textContent = '';
  form.hidden = kind === 'closed';
  button.textContent = label;
  passwordField.autocomplete = kind === 'set-up' ? 'new-password' : 'current-password';
  if (!dialog.open) dialog.showModal();
  (last && kind === 'sign-in' ? passwordField : nameField).focus();
}

/** @param {api.ApiError} error */
function refuse(error) {
  problem.textContent = error.issues[0]
    ? error.issues
        .map(({ path, message }) =>
          `${path === 'username' ? 'The user name' : 'The password'} ${message}.`.replace(/[.!?]\.$/, '.'),
        )
        .join(' ')
    : error.message;
  if (error.retryAfter) wait(error.retryAfter);
  else passwordField.select();
}

/** Counts down on the button. @param {number} seconds */
function wait(seconds) {
  const until = performance.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((until - performance.now()) / 1000);
    button.disabled = left > 0;
    button.textContent = left > 0 ? `Wait ${left} s` : words[kind].button;
    if (left <= 0) clearInterval(countdown);
  };
  clearInterval(countdown);
  countdown = setInterval(tick, 500);
  tick();
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  if (button.disabled) return;
  const account = { username: nameField.value.trim(), password: passwordField.value };
  if (!account.username || !account.password) {
    problem.textContent = 'Enter a user name and a password.';
    (account.username ? passwordField : nameField).focus();
    return;
  }
  problem.textContent = '';
  button.disabled = true;
  try {
    if (kind === 'set-up') await api.register({ ...account, setup_token: setupToken });
    else await api.login(account);
    const me = await api.whoAmI();
    button.disabled = false;
    enter(me);
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    button.disabled = false;
    refuse(error);
  }
});

/** @param {Me} me */
function enter(me) {
  // Somebody else must not find what the one before left open.
  if (last && (last.name !== me.name || last.role !== me.role)) {
    location.reload();
    return;
  }
  last = me;
  setupToken = undefined;
  passwordField.value = '';
  show.checked = false;
  passwordField.type = 'password';
  clearInterval(countdown);
  if (dialog.open) dialog.close();
  document.body.dataset.role = me.role;
  document.body.dataset.account = String(me.canSignOut);
  byId('who', HTMLElement).textContent = me.name;
  admit?.(me);
}

/** Asks the server, again and again while it is away, and then the person. */
async function look() {
  const linked = takeSetupToken();
  try {
    enter(await api.whoAmI());
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (error.code === 'setup_required') ask(setupToken ? 'set-up' : 'closed');
    else if (error.status === 401) {
      setupToken = undefined;
      ask('sign-in', linked ? usedLink : undefined);
    } else {
      byId('trouble', HTMLElement).textContent = `${error.message} Trying again…`;
      setTimeout(look, askAgainEvery);
      return;
    }
  }
  byId('trouble', HTMLElement).textContent = '';
}

show.addEventListener('change', () => {
  passwordField.type = show.checked ? 'text' : 'password';
});
dialog.addEventListener('cancel', (event) => event.preventDefault());
// A browser closes a dialog at a second Escape whatever the page says.
dialog.addEventListener('close', () => {
  if (document.body.dataset.role === undefined) dialog.showModal();
});

byId('sign-out', HTMLButtonElement).addEventListener('click', async () => {
  try {
    await api.logout();
  } catch (error) {
    if (!(error instanceof api.ApiError)) throw error;
    if (error.status !== 401) {
      byId('trouble', HTMLElement).textContent = `Not signed out: ${error.message}`;
      return;
    }
  }
  // A new document: no picture and no name stays behind.
  location.reload();
});

// The link of the terminal, opened in a tab that shows this page already.
addEventListener('hashchange', look);
// Signed in, or set up, in another tab meanwhile.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && dialog.open) look();
});

/** The sign-in has ended while the page was in use. Whoever signs in again finds it as it was. */
export function leave() {
  if (dialog.open) return;
  delete document.body.dataset.role;
  if (last) nameField.value = last.name;
  ask('sign-in', 'You are signed out. Sign in to go on.');
}

/** @param {(me: Me) => void} onEntry each time that somebody is signed in */
export function open(onEntry) {
  admit = onEntry;
  look();
}
