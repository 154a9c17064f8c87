// Checks of the words for how a picture was taken and what it is worth.
import { describe, expect, it } from 'vitest';
import { exposure, flawWords, focus, qualityWords, shotWords } from './worth';

describe('a shot in words', () => {
  it('names exposures as photographers do', () => {
    expect(exposure(8_333)).toBe('1/120 s');
    expect(exposure(500_000)).toBe('0.5 s');
    expect(exposure(2_500_000)).toBe('2.5 s');
    expect(exposure(0)).toBe('0 s');
  });

  it('turns dioptres into a distance', () => {
    expect(focus(4.5)).toBe('focus at 22 cm');
    expect(focus(0.5)).toBe('focus at 2.0 m');
    expect(focus(0)).toBe('focus at infinity');
  });

  it('says only what the camera said', () => {
    expect(shotWords(null)).toBe('');
    expect(shotWords({ exposure_us: 8_333, gain: 2.254 })).toBe('1/120 s, gain 2.25');
    expect(shotWords({ sensor_model: 'imx708', sensor_c: 31.4 })).toBe('imx708, sensor at 31 °C');
  });
});

describe('the worth of a picture in words', () => {
  it('lists flaws, and none for a good picture', () => {
    expect(flawWords([])).toBe('');
    expect(flawWords(['dark', 'blurred'])).toBe('too dark, blurred');
  });

  it('rounds what was measured', () => {
    const words = qualityWords({
      sharpness: 0.8312,
      mean_luma: 189.6,
      contrast: 44.2,
      dark_share: 0.0042,
      bright_share: 0.25,
      cast: 0.2,
      hue_degrees: 53,
    });
    expect(words).toBe(
      'sharpness 0.83, brightness 190 of 255, contrast 44, 0.4 % black, 25 % burnt out',
    );
  });
});
