// Camera addresses as requests give them: parsed, and completed with stored secrets where they are masked.
// What an address may be is decided by media/camera-url.ts; where stored ones come from is the caller's.

import { AppError } from '../errors.ts';
import { type CameraUrl, isMasked, parseCameraUrl, withStoredSecrets } from '../media/camera-url.ts';

/** The member of the request that holds it. */
export type AddressMember = 'rtsp_url' | 'detection_url';

/**
 * Parses an address. Masks (`****`) stand for the secrets of a known address with the same scheme, host, port and user,
 * and for no others.
 * @throws AppError 400 `invalid_rtsp_url` or `invalid_detection_url`.
 */
export function readAddress(text: string, member: AddressMember, known: readonly CameraUrl[]): CameraUrl {
  let address: CameraUrl;
  try {
    address = parseCameraUrl(text);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw wrongAddress(member, error.message);
  }
  if (!isMasked(address)) return address;
  for (const stored of known) {
    const complete = withStoredSecrets(address, stored);
    if (complete !== null) return complete;
  }
  throw wrongAddress(
    member,
    'The password in the camera address is masked (****); enter the password itself, as none is stored for this scheme, host, port and user.',
  );
}

function wrongAddress(path: AddressMember, message: string): AppError {
  return new AppError(400, `invalid_${path}`, message, { issues: [{ path, message }] });
}
