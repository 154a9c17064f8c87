// Checks of the times in words.
import { describe, expect, it } from 'vitest';
import { ago, clockTime, dayAndYear, inWords, startOfDay, utc, zoneName } from './time';

const NOON = Date.UTC(2026, 5, 21, 12, 0, 0);

describe('inWords', () => {
  it.each([
    [0, '0 s'],
    [59_400, '59 s'],
    [60_000, '1 min'],
    [59 * 60_000 + 59_999, '59 min'],
    [3_600_000, '1 h'],
    [3 * 3_600_000 + 20 * 60_000, '3 h 20 min'],
    [7.4 * 3_600_000, '7 h'],
    [47 * 3_600_000, '47 h'],
    [3 * 86_400_000, '3 days'],
    [90 * 86_400_000, '3 months'],
    [3 * 365.25 * 86_400_000, '3 years'],
    [-60_000, '1 min'],
  ])('says %d ms as %s', (length, words) => {
    expect(inWords(length)).toBe(words);
  });
});

describe('ago', () => {
  it('looks back, ahead, and does not fuss about seconds', () => {
    expect(ago(NOON - 5 * 60_000, NOON)).toBe('5 min ago');
    expect(ago(NOON + 5 * 60_000, NOON)).toBe('in 5 min');
    expect(ago(NOON - 10_000, NOON)).toBe('just now');
    expect(ago(NOON - 59_900, NOON)).toBe('1 min ago');
  });
});

describe('times of a zone', () => {
  it('shows the zone’s own figures and UTC beside them', () => {
    expect(clockTime(NOON, 'Europe/Berlin')).toBe('14:00');
    expect(dayAndYear(Date.UTC(2026, 5, 21, 23), 'Asia/Tokyo')).toBe('Mon 22 Jun 2026');
    expect(utc(NOON)).toBe('2026-06-21 12:00:00 UTC');
  });

  it('shows midnight as 00, not as 24', () => {
    expect(clockTime(Date.UTC(2026, 0, 1), 'UTC')).toBe('00:00');
  });

  it('names the zone with its offset of that day', () => {
    expect(zoneName(NOON, 'Europe/Berlin')).toBe('Europe/Berlin, UTC+2');
    expect(zoneName(Date.UTC(2026, 0, 1), 'Europe/Berlin')).toBe('Europe/Berlin, UTC+1');
    expect(zoneName(NOON, 'UTC')).toBe('UTC');
  });

  it('finds the start of the reader’s day', () => {
    const start = startOfDay(NOON);
    expect(new Date(start).getHours()).toBe(0);
    expect(NOON - start).toBeLessThan(25 * 3_600_000);
    expect(start).toBeLessThanOrEqual(NOON);
  });
});
