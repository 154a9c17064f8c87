// Checks that holes in a series stay holes.
import { describe, expect, it } from 'vitest';
import { breakAtGaps, holdBeforeBreaks, medianInterval, nearestIndex } from './gaps';

describe('medianInterval', () => {
  it('needs two different times', () => {
    expect(medianInterval([])).toBeNull();
    expect(medianInterval([5])).toBeNull();
    expect(medianInterval([5, 5])).toBeNull();
  });

  it('is not moved by one long pause', () => {
    expect(medianInterval([0, 10, 20, 30, 1000])).toBe(10);
  });
});

describe('breakAtGaps', () => {
  it('leaves an even series as it is', () => {
    const { times, values, alone } = breakAtGaps([0, 10, 20], [1, 2, 3]);
    expect(times).toEqual([0, 10, 20]);
    expect(values).toEqual([1, 2, 3]);
    expect(alone).toEqual([]);
  });

  it('breaks where the distance is over 2.5 medians, and not at 2.5', () => {
    expect(breakAtGaps([0, 10, 20, 45], [1, 2, 3, 4]).values).toEqual([1, 2, 3, 4]);
    const broken = breakAtGaps([0, 10, 20, 46], [1, 2, 3, 4]);
    expect(broken.values).toEqual([1, 2, 3, null, 4]);
    expect(broken.times).toEqual([0, 10, 20, 33, 46]);
  });

  it('breaks where a missed shot lies between two points, however near they are', () => {
    const missed = [
      { from_ms: 2, until_ms: 2 },
      { from_ms: 15, until_ms: 15 },
    ];
    expect(breakAtGaps([0, 10, 20, 30], [1, 2, 3, 4], missed).values).toEqual([
      1,
      null,
      2,
      null,
      3,
      4,
    ]);
  });

  it('does not break for misses before, at and after the points', () => {
    const missed = [
      { from_ms: -5, until_ms: -1 },
      { from_ms: 0, until_ms: 0 },
      { from_ms: 25, until_ms: 40 },
    ];
    expect(breakAtGaps([0, 10, 20], [1, 2, 3], missed).values).toEqual([1, 2, 3]);
  });

  it('marks points that no line reaches', () => {
    expect(breakAtGaps([0, 10, 20, 100], [1, 2, 3, 4]).alone).toEqual([4]);
    expect(breakAtGaps([0, 10, 20], [null, 2, null]).alone).toEqual([1]);
    expect(breakAtGaps([0], [7]).alone).toEqual([0]);
  });
});

describe('holdBeforeBreaks', () => {
  it('gives the last value before each break and the very last one a width', () => {
    const held = holdBeforeBreaks(
      { times: [0, 10, 15, 40], values: [1, 2, null, 4], alone: [] },
      5,
    );
    expect(held.times).toEqual([0, 10, 14.5, 15, 40, 45]);
    expect(held.values).toEqual([1, 2, 2, null, 4, 4]);
  });
});

describe('nearestIndex', () => {
  it('finds the neighbour on either side and the ends', () => {
    const times = [0, 10, 20];
    expect([-5, 0, 4, 6, 14, 16, 99].map((time) => nearestIndex(times, time))).toEqual([
      0, 0, 0, 1, 1, 2, 2,
    ]);
    expect(nearestIndex([], 3)).toBe(-1);
  });
});
