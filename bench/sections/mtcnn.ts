// The face detector beside its plain port: the same faces, less work. The measuring itself is in ../mtcnn.ts.
// Ratios, since both sides run in the same process at the same time of day.

import type { Section } from './section.ts';

/** The default of `MIN_FACE_SIZE`; `node bin/launch.mjs bench/mtcnn.ts` prints the other sizes as well. */
const usualFaceSize = 40;

export const mtcnn: Section = {
  name: 'mtcnn',
  about: 'the face detector, 640×480 on one thread, beside its plain port',
  run: async () => {
    // Loaded only when asked for: the networks' runtime has no business in the other sections.
    const { benchMtcnn } = await import('../mtcnn.ts');
    const figures = await benchMtcnn({ rounds: 10 });
    return figures
      .filter(({ minFaceSize }) => minFaceSize === usualFaceSize)
      .flatMap(({ faces, ms }) =>
        Object.entries(ms).flatMap(([variant, value]) =>
          variant === 'plain'
            ? []
            : [
                {
                  section: 'mtcnn',
                  name: `${faces} ${faces === 1 ? 'face' : 'faces'} of ${usualFaceSize} px and more, ${variant}`,
                  value,
                  unit: 'ms a frame',
                  comparedWith: { name: 'plain', value: ms.plain },
                },
              ],
        ),
      );
  },
};
