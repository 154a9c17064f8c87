// Times in words and figures: the reader's own zone on the page, UTC beside it.

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** A clock that nobody ever set starts in 1970; no trap is older than this. */
export const FIRST_BELIEVABLE_MS = Date.UTC(2020, 0, 1);

export const isBelievable = (ms: number): boolean => ms >= FIRST_BELIEVABLE_MS;

/** Midnight of the reader's day that holds `nowMs`. */
export function startOfDay(nowMs: number): number {
  const day = new Date(nowMs);
  day.setHours(0, 0, 0, 0);
  return day.getTime();
}

/** A length of time in words of one or two parts: "5 min", "3 h 20 min", "2 days". */
export function inWords(lengthMs: number): string {
  const length = Math.abs(lengthMs);
  if (length < MINUTE_MS) return `${Math.round(length / SECOND_MS)} s`;
  if (length < HOUR_MS) return `${Math.floor(length / MINUTE_MS)} min`;
  if (length < 6 * HOUR_MS) {
    const minutes = Math.floor((length % HOUR_MS) / MINUTE_MS);
    const hours = `${Math.floor(length / HOUR_MS)} h`;
    return minutes === 0 ? hours : `${hours} ${minutes} min`;
  }
  if (length < 2 * DAY_MS) return `${Math.round(length / HOUR_MS)} h`;
  const days = Math.round(length / DAY_MS);
  if (days < 60) return `${days} days`;
  if (days < 730) return `${Math.round(days / 30.4)} months`;
  return `${Math.round(days / 365.25)} years`;
}

/** "5 min ago"; a few seconds either way are "just now", the future is "in 5 min". */
export function ago(ms: number, nowMs: number): string {
  const past = nowMs - ms;
  if (Math.abs(past) < 45 * SECOND_MS) return 'just now';
  const length = inWords(Math.max(Math.abs(past), MINUTE_MS));
  return past > 0 ? `${length} ago` : `in ${length}`;
}

/** How the reader's browser names its zone: "Europe/Berlin, UTC+1". */
export function zoneName(nowMs: number, zone?: string): string {
  const name = zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone;
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: name,
    timeZoneName: 'shortOffset',
  }).formatToParts(nowMs);
  const offset = parts.find((part) => part.type === 'timeZoneName')?.value.replace('GMT', 'UTC');
  if (offset === undefined || name === 'UTC') return name;
  return `${name}, ${offset === 'UTC' ? 'UTC+0' : offset}`;
}

const formatters = new Map<string, Intl.DateTimeFormat>();

function format(ms: number, options: Intl.DateTimeFormatOptions): string {
  const key = JSON.stringify(options);
  let formatter = formatters.get(key);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-GB', { hourCycle: 'h23', ...options });
    formatters.set(key, formatter);
  }
  return formatter.format(ms).replace(',', '');
}

/** "10:20", for the reader's day. */
export const clockTime = (ms: number, timeZone?: string): string =>
  format(ms, { hour: '2-digit', minute: '2-digit', timeZone });

/** "10:20:07". */
export const clockTimeExact = (ms: number, timeZone?: string): string =>
  format(ms, { hour: '2-digit', minute: '2-digit', second: '2-digit', timeZone });

/** "Sat 21 Nov". */
export const day = (ms: number, timeZone?: string): string =>
  format(ms, { weekday: 'short', day: 'numeric', month: 'short', timeZone });

/** "Sat 21 Nov 2026". */
export const dayAndYear = (ms: number, timeZone?: string): string =>
  format(ms, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone });

/** "Sat 21 Nov 10:20", with the year when it is not this one. */
export function dayAndTime(ms: number, nowMs: number, timeZone?: string): string {
  const thisYear = new Date(ms).getFullYear() === new Date(nowMs).getFullYear();
  return `${(thisYear ? day : dayAndYear)(ms, timeZone)} ${clockTime(ms, timeZone)}`;
}

/** "Sat 21 Nov 10:20:07", where a minute holds several captures. */
export const dayAndSeconds = (ms: number, timeZone?: string): string =>
  `${day(ms, timeZone)} ${clockTimeExact(ms, timeZone)}`;

/** "2026-11-21 09:38:54 UTC", for tooltips. */
export const utc = (ms: number): string =>
  `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
