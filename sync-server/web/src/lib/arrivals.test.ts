import { describe, expect, it } from 'vitest';
import {
  askedIntervals,
  countWords,
  everyFor,
  intervalWords,
  newWords,
  tallest,
  trackId,
} from './arrivals';
import { DAY_MS, HOUR_MS, startOfDay } from './time';
import type { Arrivals, Interval } from './types';

const noon = startOfDay(Date.UTC(2026, 10, 21, 12)) + 12 * HOUR_MS;

const interval = (arrivals: Interval['arrivals'], failed = 0): Interval => ({
  from_ms: noon,
  until_ms: noon + HOUR_MS,
  looks: arrivals === null ? 0 : 3,
  failed,
  arrivals,
  clock_doubtful: 0,
});

const of = (...intervals: Interval[]): Arrivals => ({
  from_ms: noon,
  until_ms: noon + intervals.length * HOUR_MS,
  step_ms: HOUR_MS,
  intervals,
  total: null,
  models: ['m'],
});

describe('arrivals', () => {
  it('are asked for in whole hours or days of the reader', () => {
    const window = { from_ms: noon + 1234, until_ms: noon + DAY_MS };
    expect(everyFor(window)).toBe('hour');
    expect(askedIntervals(window, 'hour').from_ms).toBe(noon);
    expect(askedIntervals(window, 'day').from_ms).toBe(startOfDay(noon));
    expect(everyFor({ from_ms: noon, until_ms: noon + 7 * DAY_MS })).toBe('day');
  });

  it('never ask for more bars than can be drawn', () => {
    const all = askedIntervals({ from_ms: 0, until_ms: noon }, 'day');
    expect((all.until_ms - all.from_ms) / DAY_MS).toBeLessThan(402);
  });

  it('fit under their highest bar or whisker', () => {
    const some = of(
      interval({ counted: 2, low: 1, high: 4 }),
      interval(null, 3),
      interval({ counted: 1, low: 1, high: 1 }),
    );
    expect(tallest(some)).toBe(4);
    expect(tallest(of(interval(null)))).toBe(1);
  });

  it('are said with their doubt', () => {
    expect(countWords({ counted: 14, low: 12, high: 17 })).toBe('14 arrivals (12–17)');
    expect(countWords({ counted: 1, low: 1, high: 1 })).toBe('1 arrival');
    expect(intervalWords(interval(null, 3), 'hour')).toContain('not known, 3 looks failed');
    expect(intervalWords(interval(null), 'hour')).toContain('not known, no picture');
    const doubtful = { ...interval({ counted: 0, low: 0, high: 1 }), clock_doubtful: 1 };
    expect(intervalWords(doubtful, 'day')).toContain('0 arrivals (0–1), clock not sure');
  });

  it('name their tracks by the ledger of the capture', () => {
    expect(trackId('7f3a9c21-00000042', 17)).toBe('7f3a9c21-00000017');
    expect(newWords(0)).toContain('Nothing new');
    expect(newWords(1)).toBe('1 new insect since the picture before.');
    expect(newWords(3)).toBe('3 new insects since the picture before.');
  });
});
