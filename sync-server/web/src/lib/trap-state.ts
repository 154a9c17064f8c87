// How a trap is, decided from its summary and said in plain words.
import { ago, DAY_MS, dayAndTime, HOUR_MS, inWords, isBelievable, MINUTE_MS } from './time';
import type { ClockQuality, Offer, TrapSummary } from './types';

/** Silence after the next shot was due that nobody need worry about. */
const GRACE_MIN_MS = 15 * MINUTE_MS;
const GRACE_MAX_MS = HOUR_MS;
/** Allowed silence of a trap that did not say when its next shot is due. */
const QUIET_WITHOUT_PLAN_MS = 2 * HOUR_MS;
/** A clock that is off by less is not worth a word. */
const CLOCK_OFF_MS = 30_000;
/** A clock that is off by more puts pictures into the wrong part of the day. */
const CLOCK_WRONG_MS = 10 * MINUTE_MS;
/** A capture older than this no longer speaks for the card of today. */
const STALE_MS = DAY_MS;

export type Condition = 'fine' | 'attention' | 'quiet' | 'never' | 'revoked';

export type TrapState = {
  condition: Condition;
  /** One or two words for the mark beside the name. */
  word: string;
  /** What that rests on, in a sentence. */
  why: string;
};

/** When silence becomes suspicious, the server's time; `null` when it was never heard from. */
export function quietFrom(trap: TrapSummary): number | null {
  if (trap.last_contact_ms === null) return null;
  if (trap.next_due_ms === null) return trap.last_contact_ms + QUIET_WITHOUT_PLAN_MS;
  const dueMs = trap.next_due_ms + (trap.clock_behind_ms ?? 0);
  const pauseMs = Math.max(0, dueMs - trap.last_contact_ms);
  const graceMs = Math.min(GRACE_MAX_MS, Math.max(GRACE_MIN_MS, 3 * pauseMs));
  return Math.max(trap.last_contact_ms, dueMs) + graceMs;
}

export function trapState(trap: TrapSummary, nowMs: number): TrapState {
  if (trap.revoked) {
    return {
      condition: 'revoked',
      word: 'Key revoked',
      why: 'Its key was revoked: it cannot send.',
    };
  }
  const quietMs = quietFrom(trap);
  if (quietMs === null || trap.last_contact_ms === null) {
    return { condition: 'never', word: 'Never heard from', why: 'It has not sent anything yet.' };
  }
  if (nowMs > quietMs) {
    const silent = inWords(nowMs - trap.last_contact_ms);
    return {
      condition: 'quiet',
      word: `Silent for ${silent}`,
      why: `Last heard from ${dayAndTime(trap.last_contact_ms, nowMs)}. What is shown is from then.`,
    };
  }
  const fault = trap.faults[0];
  if (fault !== undefined) {
    const more = trap.faults.length > 1 ? ` and ${trap.faults.length - 1} more` : '';
    return { condition: 'attention', word: 'Needs a look', why: `${fault.part}${more}` };
  }
  if (trap.captures_today === 0 && trap.missed_today > 0) {
    return {
      condition: 'attention',
      word: 'No pictures today',
      why: `In contact, but all ${trap.missed_today} shots of today were missed.`,
    };
  }
  const clock = clockTrouble(trap);
  if (clock !== null) return { condition: 'attention', ...clock };
  return {
    condition: 'fine',
    word: 'Working',
    why: `Heard from ${ago(trap.last_contact_ms, nowMs)}.`,
  };
}

function clockTrouble(trap: TrapSummary): { word: string; why: string } | null {
  if (trap.clock === 'unset') {
    return { word: 'Clock never set', why: 'Its captures have an order, but no times.' };
  }
  if (Math.abs(trap.clock_behind_ms ?? 0) < CLOCK_WRONG_MS) return null;
  return {
    word: 'Clock is wrong',
    why: `It is ${clockOff(trap.clock_behind_ms) ?? 'off'}: the times of its captures are too.`,
  };
}

export type InsectLine = {
  /** The count, or `null` when there is none to be had. */
  count: number | null;
  /** What stands beside or instead of the count. */
  note: string;
  /** The count is from a time that is long past. */
  stale: boolean;
};

/** Tells "no insects" from "not looked at" from "no pictures". */
export function insectLine(trap: TrapSummary, nowMs: number): InsectLine {
  if (trap.captures === 0) return { count: null, note: 'no captures yet', stale: false };
  if (trap.insects_latest === null) return { count: null, note: 'not inspected yet', stale: false };
  if (isStale(trap, nowMs)) {
    const since =
      trap.last_capture_ms !== null && isBelievable(trap.last_capture_ms)
        ? `no captures since ${dayAndTime(trap.last_capture_ms, nowMs)}`
        : 'no captures today';
    return { count: trap.insects_latest, note: since, stale: true };
  }
  if (trap.captures_today === 0) {
    return { count: trap.insects_latest, note: 'none taken today yet', stale: false };
  }
  const today = trap.insects_today ?? 0;
  if (today > 0) return { count: trap.insects_latest, note: `+${today} today`, stale: false };
  const none = trap.insects_latest === 0 ? 'none found' : 'no new ones today';
  return { count: trap.insects_latest, note: none, stale: false };
}

/** Whether the newest capture is too old to say anything of the card as it is now. */
function isStale(trap: TrapSummary, nowMs: number): boolean {
  const { condition } = trapState(trap, nowMs);
  if (condition === 'quiet' || condition === 'revoked') return true;
  if (trap.captures_today > 0) return false;
  const ageMs = nowMs - (trap.last_capture_ms ?? 0) - (trap.clock_behind_ms ?? 0);
  return trap.missed_today > 0 || ageMs > STALE_MS;
}

/** How far the trap's clock can be trusted, in plain words. */
export const CLOCK_WORDS: Record<ClockQuality, { short: string; long: string; sure: boolean }> = {
  synced: { short: 'synced', long: 'Confirmed by network time or the server.', sure: true },
  rtc: { short: 'own clock', long: 'Read from the trap’s battery-backed clock.', sure: true },
  restored: {
    short: 'carried on',
    long: 'Carried on from the last time that the trap knew: the true time is this or later.',
    sure: false,
  },
  unset: {
    short: 'never set',
    long: 'The trap’s clock was never set: only the order of its captures is certain.',
    sure: false,
  },
};

/** "40 s behind", "2 h ahead", or `null` when near enough. */
export function clockOff(behindMs: number | null): string | null {
  if (behindMs === null || Math.abs(behindMs) < CLOCK_OFF_MS) return null;
  return `${inWords(behindMs)} ${behindMs > 0 ? 'behind' : 'ahead'}`;
}

/** Whether the trap's times deserve a warning: a carried-on clock that agrees with the server does not. */
export const clockAlarm = (trap: TrapSummary): boolean =>
  trap.clock === 'unset' || clockOff(trap.clock_behind_ms) !== null;

/** The traps in one sentence: "8 traps: 6 working, 1 silent, 1 never heard from." */
export function roundUp(traps: readonly TrapSummary[], nowMs: number): string {
  if (traps.length === 0) return 'No traps yet.';
  const words: Record<Condition, string> = {
    fine: 'working',
    attention: traps.length === 1 ? 'needs a look' : 'need a look',
    quiet: 'silent',
    never: 'never heard from',
    revoked: 'revoked',
  };
  const order: Condition[] = ['fine', 'attention', 'quiet', 'never', 'revoked'];
  const parts: string[] = [];
  for (const condition of order) {
    const count = traps.filter((trap) => trapState(trap, nowMs).condition === condition).length;
    const word = condition === 'attention' && count === 1 ? 'needs a look' : words[condition];
    if (count > 0) parts.push(`${count} ${word}`);
  }
  return `${traps.length} ${traps.length === 1 ? 'trap' : 'traps'}: ${parts.join(', ')}.`;
}

/** How far the trap is with the model that is offered to it. */
export function offerLine(offer: Offer): string {
  return `${offer.id} offered: ${offerState(offer)}`;
}

function offerState({ state }: Offer): string {
  switch (state?.kind) {
    case undefined:
      return 'not heard of yet';
    case 'fetching': {
      const percent = Math.floor((100 * state.done_bytes) / Math.max(1, state.size_bytes));
      return `fetching, ${percent} %`;
    }
    case 'trying':
      return 'being tried on stored pictures';
    case 'probation':
      return `in use, ${state.pictures_left} pictures left to prove itself`;
    case 'in_use':
      return 'in use';
    case 'refused':
      return `refused: ${state.reason}`;
  }
}
