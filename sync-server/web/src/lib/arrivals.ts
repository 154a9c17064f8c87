// Arrivals per interval: what to ask for, what the bars show, and in which words.
import { insects } from './boxes';
import { clockTime, day, DAY_MS, HOUR_MS, startOfDay } from './time';
import type { ArrivalCount, Arrivals, Interval } from './types';
import type { TimeWindow } from './window';

export type Every = 'hour' | 'day';

/** More bars than this are no picture any more. */
const BARS_MAX = 400;

const STEPS: Record<Every, number> = { hour: HOUR_MS, day: DAY_MS };

/** Hours while they can be told apart, days beyond. */
export const everyFor = ({ from_ms, until_ms }: TimeWindow): Every =>
  until_ms - from_ms > 4 * DAY_MS ? 'day' : 'hour';

/** The window in whole intervals of the reader's own day, at most as many as can be drawn. */
export function askedIntervals(window: TimeWindow, every: Every): TimeWindow {
  const step = STEPS[every];
  const from_ms = Math.max(window.from_ms, window.until_ms - BARS_MAX * step);
  const midnight = startOfDay(from_ms);
  const start =
    every === 'day' ? midnight : midnight + step * Math.floor((from_ms - midnight) / step);
  return { from_ms: start, until_ms: Math.max(start + step, Math.ceil(window.until_ms)) };
}

/** "14 arrivals (12–17)"; without the bounds where there is no doubt. */
export function countWords({ counted, low, high }: ArrivalCount): string {
  const words = counted === 1 ? '1 arrival' : `${counted} arrivals`;
  return low === high ? words : `${words} (${low}–${high})`;
}

/** The highest bar or whisker, at least 1. */
export const tallest = ({ intervals }: Arrivals): number =>
  intervals.reduce((most, { arrivals }) => Math.max(most, arrivals?.high ?? 0), 1);

/** The whole sentence of one interval. */
export function intervalWords(interval: Interval, every: Every): string {
  const when =
    every === 'day'
      ? day(interval.from_ms)
      : `${day(interval.from_ms)} ${clockTime(interval.from_ms)}–${clockTime(interval.until_ms)}`;
  if (interval.arrivals === null) {
    const why = interval.failed > 0 ? `${interval.failed} looks failed` : 'no picture';
    return `${when}: not known, ${why}`;
  }
  const doubt = interval.clock_doubtful > 0 ? ', clock not sure' : '';
  return `${when}: ${countWords(interval.arrivals)}${doubt}`;
}

/** The name of a track that a detection names by its number. */
export const trackId = (captureId: string, number: number): string =>
  `${captureId.split('-')[0] ?? ''}-${String(number).padStart(8, '0')}`;

/** "3 new insects since the picture before". */
export const newWords = (count: number): string =>
  count === 0
    ? 'Nothing new since the picture before.'
    : `${insects(count).replace(/^(\d+) /, '$1 new ')} since the picture before.`;
