// Checks of figures with their units.
import { describe, expect, it } from 'vitest';
import { bytes, counted, light, temperature, volts } from './figures';
import { timeTicks } from './chart';

describe('figures', () => {
  it('carry their units, and a dash where nothing was measured', () => {
    expect(temperature(-0.04)).toBe('0.0 °C');
    expect(temperature(21.36)).toBe('21.4 °C');
    expect(temperature(null)).toBe('–');
    expect([0, 0.4, 320, 1500, 58_000, null].map(light)).toEqual([
      '0 lx',
      '0.4 lx',
      '320 lx',
      '1.5 klx',
      '58 klx',
      '–',
    ]);
    expect(volts(3.871)).toBe('3.87 V');
    expect([812, 51_234, 2_400_000].map(bytes)).toEqual(['812 B', '51 kB', '2.4 MB']);
    expect(counted(1, 'try', 'tries')).toBe('1 try');
    expect(counted(12_345, 'capture')).toBe('12\u202f345 captures');
  });
});

describe('timeTicks', () => {
  it('names the day once, where it begins', () => {
    const noon = new Date(2026, 5, 21, 12).getTime();
    const ticks = timeTicks(
      [noon, noon + 6 * 3_600_000, noon + 12 * 3_600_000],
      6 * 3_600_000,
      false,
    );
    expect(ticks).toEqual(['12:00\nSun 21 Jun', '18:00', '00:00\nMon 22 Jun']);
  });

  it('is not thrown off by a fraction of a second', () => {
    const noon = new Date(2026, 5, 21, 12).getTime();
    expect(timeTicks([noon - 0.4], 3_600_000, false)).toEqual(['12:00\nSun 21 Jun']);
  });

  it('counts seconds on a very short axis', () => {
    const noon = new Date(2026, 5, 21, 12).getTime();
    expect(timeTicks([noon, noon + 30_000], 30_000, false)[1]).toBe('12:00:30');
  });

  it('names only days on a long axis', () => {
    const midnight = new Date(2026, 5, 21).getTime();
    expect(timeTicks([midnight], 86_400_000, true)).toEqual(['21 Jun']);
  });
});
