// Checks of the window that is asked for and the one that is drawn.
import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from './time';
import type { Timeline } from './types';
import { askedWindow, extent, shownWindow, windowName } from './window';

const NOW = Date.UTC(2026, 5, 21, 12);

const line = (times: number[]): Timeline => ({
  from_ms: 0,
  until_ms: NOW,
  readings: [],
  captures: times.map((taken_ms) => ({
    taken_ms,
    id: 'x',
    insects: 0,
    picture_state: 'stored',
    flaws: [],
  })),
  missed: [],
  truncated: false,
});

describe('windowName', () => {
  it('takes only the windows that there are', () => {
    expect(windowName('14d')).toBe('14d');
    expect(windowName('a year')).toBe('7d');
    expect(windowName(null)).toBe('7d');
  });
});

describe('askedWindow', () => {
  it('reaches back as named and a little ahead', () => {
    expect(askedWindow('24h', NOW)).toEqual({ from_ms: NOW - DAY_MS, until_ms: NOW + HOUR_MS });
    expect(askedWindow('all', NOW).from_ms).toBe(0);
  });
});

describe('extent', () => {
  it('ignores times that no trap can have', () => {
    expect(extent(line([5, NOW - 9, NOW]))).toEqual({ from_ms: NOW - 9, until_ms: NOW });
    expect(extent(line([5]))).toBeNull();
  });
});

describe('shownWindow', () => {
  it('keeps the named length while there is older data', () => {
    const shown = shownWindow('7d', line([NOW - DAY_MS, NOW]), 500, NOW);
    expect(shown.from_ms).toBe(NOW - 7 * DAY_MS);
    expect(shown.until_ms - NOW).toBeLessThan(2 * HOUR_MS);
  });

  it('starts at the first record of a trap that is younger than the window', () => {
    const shown = shownWindow('7d', line([NOW - HOUR_MS, NOW]), 2, NOW);
    expect(shown.from_ms).toBeLessThan(NOW - HOUR_MS);
    expect(shown.from_ms).toBeGreaterThan(NOW - 1.1 * HOUR_MS);
  });

  it('is never so short that one minute fills it', () => {
    const shown = shownWindow('all', line([NOW - MINUTE_MS, NOW]), 2, NOW);
    expect(shown.until_ms - shown.from_ms).toBeGreaterThanOrEqual(4 * MINUTE_MS);
  });

  it('leaves the newest capture within reach of a pointer', () => {
    expect(shownWindow('24h', line([NOW - DAY_MS, NOW]), 500, NOW).until_ms).toBeGreaterThan(NOW);
  });

  it('ends at the last record for "all", at now otherwise', () => {
    const old = line([NOW - 9 * DAY_MS, NOW - 8 * DAY_MS]);
    expect(shownWindow('all', old, 2, NOW).until_ms).toBeLessThan(NOW - 7 * DAY_MS);
    expect(shownWindow('14d', old, 2, NOW).until_ms).toBeGreaterThanOrEqual(NOW);
  });

  it('shows an empty window as it was named', () => {
    expect(shownWindow('24h', line([]), 0, NOW)).toEqual({ from_ms: NOW - DAY_MS, until_ms: NOW });
  });
});
