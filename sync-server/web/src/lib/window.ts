// The window of time that a trap's page shows.
import { DAY_MS, HOUR_MS, isBelievable, MINUTE_MS } from './time';
import type { Timeline } from './types';

export type WindowName = '24h' | '7d' | '14d' | 'all';
export type TimeWindow = { from_ms: number; until_ms: number };

export const WINDOWS: { name: WindowName; words: string }[] = [
  { name: '24h', words: '24 hours' },
  { name: '7d', words: '7 days' },
  { name: '14d', words: '14 days' },
  { name: 'all', words: 'All' },
];

const LENGTHS: Record<Exclude<WindowName, 'all'>, number> = {
  '24h': DAY_MS,
  '7d': 7 * DAY_MS,
  '14d': 14 * DAY_MS,
};

const SHORTEST_MS = 4 * MINUTE_MS;
/** Share of the window that is left free at its ends. */
const MARGIN = 0.01;

export const windowName = (text: string | null): WindowName =>
  WINDOWS.find(({ name }) => name === text)?.name ?? '7d';

/** What to ask the server for. A trap's clock may run ahead, so the end lies an hour ahead too. */
export function askedWindow(name: WindowName, nowMs: number): TimeWindow {
  const until_ms = nowMs + HOUR_MS;
  return { from_ms: name === 'all' ? 0 : nowMs - LENGTHS[name], until_ms };
}

/** First and last believable time of a time line, or `null` when it is empty. */
export function extent(timeline: Timeline): TimeWindow | null {
  let from_ms = Infinity;
  let until_ms = -Infinity;
  const take = (ms: number): void => {
    if (!isBelievable(ms)) return;
    from_ms = Math.min(from_ms, ms);
    until_ms = Math.max(until_ms, ms);
  };
  for (const { taken_ms } of timeline.readings) take(taken_ms);
  for (const { taken_ms } of timeline.captures) take(taken_ms);
  for (const { due_ms, last_due_ms } of timeline.missed) {
    take(due_ms);
    take(last_due_ms);
  }
  return from_ms === Infinity ? null : { from_ms, until_ms };
}

/**
 * The window to draw: the one that was named, without the empty time before
 * the trap's very first record. `capturesEver` says whether this is all of it.
 */
export function shownWindow(
  name: WindowName,
  timeline: Timeline,
  capturesEver: number,
  nowMs: number,
): TimeWindow {
  const data = extent(timeline);
  const asked = askedWindow(name, nowMs);
  if (data === null) {
    return { from_ms: name === 'all' ? nowMs - DAY_MS : asked.from_ms, until_ms: nowMs };
  }
  const end = Math.max(name === 'all' ? data.until_ms : nowMs, data.until_ms);
  const isAll = name === 'all' || timeline.captures.length >= capturesEver;
  const start = isAll
    ? Math.max(asked.from_ms, Math.min(data.from_ms, end - SHORTEST_MS))
    : asked.from_ms;
  // The first and the last capture stay a little off the edges, where a pointer can reach them.
  const margin = (end - start) * MARGIN;
  const from_ms = isAll ? start - margin : start;
  return { from_ms: Math.floor(from_ms), until_ms: Math.ceil(end + margin) };
}
