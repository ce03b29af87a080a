// The image that a detector outside sends with a detection: base64 to JPEG, refused when it is none or too large.
// Only its header is read; nothing is decoded here.

import { AppError } from '../errors.ts';
import { jpegSize } from '../media/jpeg.ts';
import type { OutsideDetection } from './record-ports.ts';

export const maxImageBytes = 5 * 1024 * 1024;
/** In base64, with line breaks and the head of a data URL. */
export const maxImageText = Math.ceil((maxImageBytes * 4 * 78) / (3 * 76)) + 100;
/** A small file can claim a size that takes gigabytes to decode. */
const maxPixels = 50_000_000;

/** @throws AppError 400 `invalid_image`, 413 `image_too_large`. */
export function readOutsideImage(text: string): NonNullable<OutsideDetection['image']> {
  const base64 = text.replace(/^data:image\/jpeg;base64,/i, '').replace(/\s+/g, '');
  // Buffer skips what is not base64, and so would make bytes of anything.
  const valid = base64.length % 4 !== 1 && /^[A-Za-z0-9+/_-]+={0,2}$/.test(base64);
  if (!valid) throw refusal(400, 'invalid_image', 'must be a JPEG image in base64');
  const data = Buffer.from(base64, 'base64');
  if (data.length > maxImageBytes) throw refusal(413, 'image_too_large', 'must be an image of at most 5 MB');
  const size = jpegSize(data);
  if (!size) throw refusal(400, 'invalid_image', 'must be a JPEG image in base64');
  if (size.width * size.height > maxPixels)
    throw refusal(413, 'image_too_large', 'must be an image of at most 50 megapixels');
  return { data, ...size };
}

function refusal(status: number, code: string, message: string): AppError {
  return new AppError(status, code, `image: ${message}.`, { issues: [{ path: 'image', message }] });
}
