// Where a series has holes: a line must not be drawn over time that nobody measured.

/** A point further than this many median intervals from the last one starts a new line. */
const GAP_MEDIANS = 2.5;

export type Span = { from_ms: number; until_ms: number };

export type BrokenSeries = {
  times: number[];
  values: (number | null)[];
  /** Indices of points with a break on both sides: they need a dot, for no line reaches them. */
  alone: number[];
};

/** The middle distance between neighbours, or `null` with fewer than two times. */
export function medianInterval(times: readonly number[]): number | null {
  const steps: number[] = [];
  for (let i = 1; i < times.length; i += 1) {
    const step = (times[i] ?? 0) - (times[i - 1] ?? 0);
    if (step > 0) steps.push(step);
  }
  if (steps.length === 0) return null;
  steps.sort((a, b) => a - b);
  return steps[Math.floor(steps.length / 2)] ?? null;
}

/** Whether a span begins or lies between the two times; `spans` ascend by start. */
function spanBetween(spans: readonly Span[], after: number, before: number): boolean {
  let low = 0;
  let high = spans.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((spans[middle]?.from_ms ?? 0) <= after) low = middle + 1;
    else high = middle;
  }
  const next = spans[low];
  return next !== undefined && next.from_ms < before;
}

/**
 * The series with a `null` put into every gap: where neighbours are further
 * apart than 2.5 median intervals, and where a missed shot lies between them.
 * Times ascend, in milliseconds.
 */
export function breakAtGaps(
  times: readonly number[],
  values: readonly (number | null)[],
  missed: readonly Span[] = [],
): BrokenSeries {
  const median = medianInterval(times);
  const result: BrokenSeries = { times: [], values: [], alone: [] };
  for (const [i, time] of times.entries()) {
    const before = times[i - 1];
    if (before !== undefined) {
      const tooFar = median !== null && time - before > GAP_MEDIANS * median;
      if (tooFar || spanBetween(missed, before, time)) {
        result.times.push(before + (time - before) / 2);
        result.values.push(null);
      }
    }
    result.times.push(time);
    result.values.push(values[i] ?? null);
  }
  result.alone = pointsAlone(result.values);
  return result;
}

/**
 * A series for drawing in steps: the last value before each break stays for up
 * to `holdMs`, so that it has a width and is no mere stroke at the edge.
 */
export function holdBeforeBreaks(series: BrokenSeries, holdMs: number): BrokenSeries {
  const held: BrokenSeries = { times: [], values: [], alone: [] };
  for (const [i, time] of series.times.entries()) {
    const value = series.values[i] ?? null;
    held.times.push(time);
    held.values.push(value);
    if (value === null || (series.values[i + 1] ?? null) !== null) continue;
    const next = series.times[i + 1] ?? Infinity;
    held.times.push(time + Math.min(holdMs, 0.9 * (next - time)));
    held.values.push(value);
  }
  return held;
}

function pointsAlone(values: readonly (number | null)[]): number[] {
  const alone: number[] = [];
  for (const [i, value] of values.entries()) {
    const left = values[i - 1] ?? null;
    const right = values[i + 1] ?? null;
    if (value !== null && left === null && right === null) alone.push(i);
  }
  return alone;
}

/** Index of the time nearest to `time`, or -1 when there is none; times ascend. */
export function nearestIndex(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < time) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return times.length === 0 ? -1 : 0;
  if (low === times.length) return low - 1;
  return (times[low] ?? 0) - time < time - (times[low - 1] ?? 0) ? low : low - 1;
}
