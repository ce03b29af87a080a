// After an update of the service, code that the open page asks for is gone; the page then loads itself anew, once.

const key = 'rsv.reloaded-at';
/** A reload that did not help is not repeated for this long, ms. */
const patienceMs = 60_000;

export function reloadForNewVersion(event: Event): void {
  const last = Number(sessionStorage.getItem(key) ?? 0);
  if (Date.now() - last < patienceMs) return;
  event.preventDefault();
  sessionStorage.setItem(key, String(Date.now()));
  location.reload();
}
