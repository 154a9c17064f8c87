// What is done with the boxes of a picture: choose, count, colour, bin.
import type { Detection, Inspection } from './types';

/** The boxes that count at this threshold, strongest first. */
export const boxesAt = (boxes: readonly Detection[], threshold: number): Detection[] =>
  boxes.filter((box) => box.score >= threshold).sort((a, b) => b.score - a.score);

/** "1 insect", "31 insects", "no insects". */
export function insects(count: number): string {
  if (count === 0) return 'no insects';
  return count === 1 ? '1 insect' : `${count} insects`;
}

/** Two decimals, never rounded up to a threshold that the score does not reach. */
export const scoreText = (score: number): string =>
  (Math.floor(score * 100 + 1e-6) / 100).toFixed(2);

/**
 * The colour of a box by its score, from blue (weak) over violet to crimson
 * (sure): all of them stand clear of a yellow card, and they differ in
 * lightness too.
 */
export function scoreColour(score: number): string {
  const share = Math.min(1, Math.max(0, score));
  const hue = 235 + 105 * share;
  const light = 52 - 14 * share;
  return `hsl(${hue.toFixed(0)} 85% ${light.toFixed(0)}%)`;
}

/** How many boxes fall into each of `bins` equal classes of score. */
export function scoreBins(boxes: readonly Detection[], bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  for (const { score } of boxes) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor(score * bins)));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return counts;
}

/** The boxes of an inspection, or `null` when it was given up. */
export const boxesOf = (inspection: Inspection): Detection[] | null =>
  inspection.outcome.kind === 'seen' ? inspection.outcome.detections : null;
