// One alert large: its picture with the box around the face.
// The list of alerts is in alerts.js.

/** @import { Alert } from './api.js' */
import { sightingsText, timeText } from './alerts.js';
import { ApiError, getDetection } from './api.js';
import { byId } from './dialogs.js';
import { FaceBoxes } from './faces.js';

const dialog = byId('alert-dialog', HTMLDialogElement);
const image = byId('alert-image', HTMLImageElement);
const missing = byId('alert-missing', HTMLElement);
const boxes = new FaceBoxes(byId('alert-faces', HTMLElement));
/** @type {Alert | undefined} */
let present;

/** @param {string} sentence instead of the picture; empty for none */
function instead(sentence) {
  missing.textContent = sentence;
  image.hidden = sentence !== '';
}

image.addEventListener('load', () => boxes.fit(image.naturalWidth, image.naturalHeight));
image.addEventListener('error', () => instead('The picture of this alert is gone.'));

/** @param {Alert} alert */
export async function showAlert(alert) {
  present = alert;
  byId('alert-title', HTMLElement).textContent = alert.stream;
  byId('alert-figures', HTMLElement).textContent = timeText(alert.timestamp) + sightingsText(alert);
  boxes.show([]);
  instead(alert.image_url ? '' : 'This alert came without a picture.');
  image.alt = `${alert.stream}, ${timeText(alert.timestamp)}`;
  if (alert.image_url) image.src = alert.image_url;
  dialog.showModal();
  try {
    const { box, confidence_score } = await getDetection(alert.detection_id);
    if (present !== alert || !box || image.hidden) return;
    boxes.show([{ track: alert.detection_id, confidence: confidence_score ?? alert.confidence_score, box }]);
  } catch (error) {
    // The detection may have been deleted meanwhile; the picture is shown without its box.
    if (!(error instanceof ApiError)) throw error;
  }
}

dialog.addEventListener('close', () => {
  present = undefined;
  image.removeAttribute('src');
});
dialog.addEventListener('click', (event) => {
  if (event.target === dialog) dialog.close();
});
