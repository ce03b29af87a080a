// The slider for how sure the detector must be: in steps of a percent, over the range in which it makes a difference.

import { formatPercent } from '../../format.ts';
import { Slider, type SliderProps } from '../../ui/controls.tsx';

/** The detector names no face it is less sure of than 70 %; detectors outside may. */
const usualLeast = 0.5;

export function ThresholdSlider(
  props: Pick<SliderProps, 'id' | 'value' | 'onChange' | 'aria-describedby' | 'aria-invalid'>,
) {
  const { value, onChange } = props;
  return (
    <Slider
      {...props}
      min={value < usualLeast ? 0 : usualLeast}
      max={1}
      step={0.01}
      valueText={formatPercent(value)}
      // Sums of hundredths are not always hundredths.
      onChange={(next) => onChange(Math.round(next * 100) / 100)}
    />
  );
}
