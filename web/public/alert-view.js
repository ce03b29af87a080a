// One alert large: its picture with the box around the face.
// The list of alerts is in alerts.js.

/** @import { Alert, Detection } from './api.js' */
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
image.addEventListener('error', () => {
  boxes.show([]);
  instead('The picture of this alert is gone.');
});

/** @param {Alert} alert */
export async function showAlert(alert) {
  present = alert;
  byId('alert-title', HTMLElement).textContent = alert.stream;
  byId('alert-figures', HTMLElement).textContent = timeText(alert.timestamp) + sightingsText(alert);
  boxes.show([]);
  instead('');
  image.alt = `${alert.stream}, ${timeText(alert.timestamp)}`;
  dialog.showModal();
  const { image_url, box, confidence_score } = await pictureOf(alert);
  if (present !== alert) return;
  if (!image_url) {
    instead('This alert came without a picture.');
    return;
  }
  image.src = image_url;
  if (box) boxes.show([{ track: alert.detection_id, confidence: confidence_score, box }]);
}

/**
 * Picture and box from one reply, because both are replaced when the person is seen better.
 * @param {Alert} alert
 * @returns {Promise<Pick<Detection, 'image_url' | 'box' | 'confidence_score'>>}
 */
async function pictureOf(alert) {
  try {
    const detection = await getDetection(alert.detection_id);
    // The first detection may have been deleted and another one taken its place: that would be somebody else.
    if (detection.timestamp === alert.timestamp) return detection;
  } catch (error) {
    // The detection may have been deleted meanwhile; what the list knows is shown.
    if (!(error instanceof ApiError)) throw error;
  }
  return { image_url: alert.image_url, box: null, confidence_score: alert.confidence_score };
}

dialog.addEventListener('close', () => {
  present = undefined;
  image.removeAttribute('src');
});
dialog.addEventListener('click', (event) => {
  if (event.target === dialog) dialog.close();
});
