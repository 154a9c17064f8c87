// What a trap's strips show: their series, broken at gaps, and the words beside them.
import { MISS_WORDS, missedAt, missedInWords, missedSpans, type MissedSpan } from './effort';
import * as figures from './figures';
import {
  breakAtGaps,
  holdBeforeBreaks,
  medianInterval,
  nearestIndex,
  type BrokenSeries,
} from './gaps';
import { isBelievable } from './time';
import { insects as insectWords } from './boxes';
import { flawWords } from './worth';
import type { Timeline, TimelineCapture } from './types';

export type StripName = 'insects' | 'temperature' | 'humidity' | 'light' | 'effort';

export type Strip = {
  name: StripName;
  title: string;
  series: BrokenSeries;
  /** The text beside the title: at one moment, or for the whole window. */
  say: (atMs: number | null) => string;
};

export type StripData = {
  strips: Strip[];
  missed: MissedSpan[];
  /** Those with a believable time, ascending. */
  captures: TimelineCapture[];
  captureTimes: number[];
  /** When a picture was taken, those that are left out counted in. */
  shotTimes: number[];
  /** How many of those have a flaw. */
  flawed: number;
  /** Captures whose clock was never set: they have no place on a time axis. */
  timeless: number;
};

/** A reading further away than this many median intervals says nothing of a moment. */
const REACH_MEDIANS = 1.25;

/** Light spans five orders of magnitude, so its strip counts in powers of ten. */
export const lightHeight = (lux: number | null): number | null =>
  lux === null ? null : Math.log10(1 + Math.max(0, lux));

type Numbers = readonly (number | null)[];

type Near = { times: readonly number[]; reach_ms: number };

function nearestValue({ times, reach_ms }: Near, values: Numbers, atMs: number): number | null {
  const i = nearestIndex(times, atMs);
  const time = times[i];
  if (time === undefined || Math.abs(time - atMs) > reach_ms) return null;
  return values[i] ?? null;
}

function range(values: Numbers, show: (value: number | null) => string): string {
  const real = values.filter((value) => value !== null);
  if (real.length === 0) return 'no readings';
  let low = Infinity;
  let high = -Infinity;
  for (const value of real) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low === high ? show(low) : `${show(low)} to ${show(high)}`;
}

/** With `onlyGood`, pictures with a flaw are left out of the counts; the shots still happened. */
export function stripData(timeline: Timeline, onlyGood = false): StripData {
  const readings = timeline.readings.filter(({ taken_ms }) => isBelievable(taken_ms));
  const taken = timeline.captures.filter(({ taken_ms }) => isBelievable(taken_ms));
  const captures = onlyGood ? taken.filter(({ flaws }) => flaws.length === 0) : taken;
  const missed = missedSpans(timeline.missed).filter(({ from_ms }) => isBelievable(from_ms));
  const times = readings.map(({ taken_ms }) => taken_ms);
  const near: Near = { times, reach_ms: REACH_MEDIANS * (medianInterval(times) ?? Infinity) };
  const captureTimes = captures.map(({ taken_ms }) => taken_ms);

  const climate = (
    name: StripName,
    title: string,
    values: Numbers,
    show: (value: number | null) => string,
    height: (value: number | null) => number | null = (value) => value,
  ): Strip => ({
    name,
    title,
    series: breakAtGaps(times, values.map(height), missed),
    say: (atMs) => (atMs === null ? range(values, show) : show(nearestValue(near, values, atMs))),
  });

  return {
    strips: [
      insectStrip(captures, captureTimes, missed),
      climate(
        'temperature',
        'Temperature',
        readings.map((r) => r.temperature_c),
        figures.temperature,
      ),
      climate(
        'humidity',
        'Humidity',
        readings.map((r) => r.humidity_percent),
        figures.humidity,
      ),
      climate(
        'light',
        'Light',
        readings.map((r) => r.light_lux),
        figures.light,
        lightHeight,
      ),
      effortStrip(
        taken.map(({ taken_ms }) => taken_ms),
        missed,
      ),
    ],
    missed,
    captures,
    captureTimes,
    shotTimes: taken.map(({ taken_ms }) => taken_ms),
    flawed: taken.filter(({ flaws }) => flaws.length > 0).length,
    timeless: timeline.captures.length - taken.length,
  };
}

function insectStrip(
  captures: readonly TimelineCapture[],
  times: readonly number[],
  missed: readonly MissedSpan[],
): Strip {
  const values = captures.map((capture) => capture.insects);
  return {
    name: 'insects',
    title: 'Insects on the card',
    series: holdBeforeBreaks(breakAtGaps(times, values, missed), (medianInterval(times) ?? 0) / 2),
    say: (atMs) => {
      if (captures.length === 0) return 'no captures';
      if (atMs === null)
        return range(values, (count) => String(count)).replace('readings', 'counts');
      const capture = captures[nearestIndex(times, atMs)];
      const flaws = flawWords(capture?.flaws ?? []);
      return countWords(capture?.insects ?? null) + (flaws === '' ? '' : `, picture ${flaws}`);
    },
  };
}

export const countWords = (count: number | null): string =>
  count === null ? 'not inspected' : insectWords(count);

function effortStrip(times: readonly number[], missed: readonly MissedSpan[]): Strip {
  const median = medianInterval(times);
  return {
    name: 'effort',
    title: 'Shots',
    series: { times: [...times], values: times.map(() => 1), alone: [] },
    say: (atMs) => {
      if (atMs === null) return `${times.length} taken, ${missedInWords(missed)}`;
      const miss = missedAt(missed, atMs, (median ?? 0) / 2);
      const near = times[nearestIndex(times, atMs)];
      const distance = near === undefined ? Infinity : Math.abs(near - atMs);
      const missDistance =
        miss === null ? Infinity : Math.max(0, miss.from_ms - atMs, atMs - miss.until_ms);
      if (miss !== null && missDistance <= distance) {
        return `${figures.counted(miss.shots, 'shot')} missed: ${MISS_WORDS[miss.reason]}`;
      }
      return distance <= (median ?? 0) * REACH_MEDIANS ? 'taken' : 'none planned';
    },
  };
}
