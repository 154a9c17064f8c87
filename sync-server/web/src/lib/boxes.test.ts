// Checks of counting and colouring boxes.
import { describe, expect, it } from 'vitest';
import { boxesAt, insects, scoreBins, scoreColour, scoreText } from './boxes';
import type { Detection } from './types';

const box = (score: number): Detection => ({
  x_px: 0,
  y_px: 0,
  width_px: 10,
  height_px: 10,
  score,
  class: 'insect',
});

describe('boxesAt', () => {
  it('counts a box that just reaches the threshold, strongest first', () => {
    const all = [box(0.42), box(0.9), box(0.4199)];
    expect(boxesAt(all, 0.42).map(({ score }) => score)).toEqual([0.9, 0.42]);
    expect(boxesAt(all, 0)).toHaveLength(3);
    expect(boxesAt([], 0.5)).toEqual([]);
  });
});

describe('words and figures', () => {
  it('says how many', () => {
    expect([0, 1, 31].map(insects)).toEqual(['no insects', '1 insect', '31 insects']);
  });

  it('never rounds a score up over a threshold', () => {
    expect(scoreText(0.4199)).toBe('0.41');
    expect(scoreText(0.29)).toBe('0.29');
    expect(scoreText(1)).toBe('1.00');
  });
});

describe('scoreColour', () => {
  it('runs from blue to crimson, away from the card’s yellow', () => {
    const hues = [0, 0.25, 0.5, 0.75, 1].map((score) =>
      Number(/hsl\((\d+)/.exec(scoreColour(score))?.[1]),
    );
    expect(hues).toEqual([...hues].sort((a, b) => a - b));
    expect(Math.min(...hues)).toBeGreaterThan(200);
    expect(Math.max(...hues)).toBeLessThan(350);
    expect(scoreColour(7)).toBe(scoreColour(1));
  });
});

describe('scoreBins', () => {
  it('puts every box into one bin, a score of 1 into the last', () => {
    expect(scoreBins([box(0), box(0.49), box(0.5), box(1)], 2)).toEqual([2, 2]);
  });
});
