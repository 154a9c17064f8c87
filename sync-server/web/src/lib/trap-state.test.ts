// Checks of what is said of a trap: above all, that silence is never shown as an empty card.
import { describe, expect, it } from 'vitest';
import { HOUR_MS, MINUTE_MS } from './time';
import {
  clockAlarm,
  clockOff,
  insectLine,
  offerLine,
  quietFrom,
  roundUp,
  trapState,
} from './trap-state';
import type { TrapSummary } from './types';

const NOW = Date.UTC(2026, 5, 21, 12);

const trap = (change: Partial<TrapSummary> = {}): TrapSummary => ({
  id: 'aaaaaaaa',
  name: 'Orchard',
  revoked: false,
  last_contact_ms: NOW - 2 * MINUTE_MS,
  last_capture_ms: NOW - 3 * MINUTE_MS,
  last_capture: '7f3a9c21-00000042',
  captures: 42,
  captures_today: 20,
  insects_latest: 31,
  insects_today: 4,
  missed_today: 0,
  battery_v: 3.9,
  clock: 'synced',
  clock_behind_ms: 0,
  pictures_waiting: 0,
  next_due_ms: NOW + 8 * MINUTE_MS,
  agent_version: '0.1.0',
  faults: [],
  model: null,
  offer: null,
  ...change,
});

const condition = (change: Partial<TrapSummary>): string => trapState(trap(change), NOW).condition;

describe('trapState', () => {
  it('knows the five conditions', () => {
    expect(condition({})).toBe('fine');
    expect(condition({ faults: [{ part: 'light', message: 'Absent.', since_ms: 0 }] })).toBe(
      'attention',
    );
    expect(condition({ captures_today: 0, missed_today: 9 })).toBe('attention');
    expect(
      condition({ last_contact_ms: NOW - 30 * HOUR_MS, next_due_ms: NOW - 29 * HOUR_MS }),
    ).toBe('quiet');
    expect(condition({ last_contact_ms: null, next_due_ms: null })).toBe('never');
    expect(condition({ revoked: true })).toBe('revoked');
  });

  it('does not call a trap fine whose times are wrong', () => {
    expect(trapState(trap({ clock: 'unset' }), NOW).word).toBe('Clock never set');
    const behind = trap({ clock_behind_ms: 2 * HOUR_MS, next_due_ms: NOW - 2 * HOUR_MS });
    expect(trapState(behind, NOW)).toMatchObject({
      condition: 'attention',
      word: 'Clock is wrong',
    });
    expect(condition({ clock_behind_ms: 40_000 })).toBe('fine');
  });

  it('lets a trap sleep until its next shot is due', () => {
    const evening = NOW - 9 * HOUR_MS;
    expect(condition({ last_contact_ms: evening, next_due_ms: NOW + HOUR_MS })).toBe('fine');
    expect(condition({ last_contact_ms: evening, next_due_ms: NOW - 61 * MINUTE_MS })).toBe(
      'quiet',
    );
  });

  it('counts the due time by the server’s clock', () => {
    const ahead = {
      last_contact_ms: NOW,
      clock_behind_ms: -HOUR_MS,
      next_due_ms: NOW + 70 * MINUTE_MS,
    };
    expect(quietFrom(trap(ahead))).toBe(NOW + 10 * MINUTE_MS + 30 * MINUTE_MS);
  });

  it('has a limit for a trap without a plan', () => {
    expect(condition({ last_contact_ms: NOW - 119 * MINUTE_MS, next_due_ms: null })).toBe('fine');
    expect(condition({ last_contact_ms: NOW - 121 * MINUTE_MS, next_due_ms: null })).toBe('quiet');
  });
});

describe('insectLine', () => {
  it('tells an empty card from one that nobody looked at, and both from no captures', () => {
    expect(insectLine(trap({ insects_latest: 0, insects_today: 0 }), NOW)).toEqual({
      count: 0,
      note: 'none found',
      stale: false,
    });
    expect(insectLine(trap({ insects_latest: null }), NOW).note).toBe('not inspected yet');
    expect(insectLine(trap({ captures: 0, insects_latest: null }), NOW).note).toBe(
      'no captures yet',
    );
  });

  it('says of a silent trap that its count is old', () => {
    const silent = trap({
      insects_latest: 0,
      last_contact_ms: NOW - 48 * HOUR_MS,
      last_capture_ms: NOW - 48 * HOUR_MS,
      next_due_ms: NOW - 47 * HOUR_MS,
      captures_today: 0,
    });
    const line = insectLine(silent, NOW);
    expect(line.stale).toBe(true);
    expect(line.note).toMatch(/^no captures since /);
  });

  it('is patient after midnight, and not after a missed shot', () => {
    const evening = { captures_today: 0, last_capture_ms: NOW - 3 * HOUR_MS };
    expect(insectLine(trap(evening), NOW)).toMatchObject({
      note: 'none taken today yet',
      stale: false,
    });
    expect(insectLine(trap({ ...evening, missed_today: 2 }), NOW).stale).toBe(true);
  });

  it('does not name a time that the trap could not know', () => {
    const line = insectLine(trap({ captures_today: 0, last_capture_ms: 60_000 }), NOW);
    expect(line.note).toBe('no captures today');
  });

  it('shows what came today', () => {
    expect(insectLine(trap(), NOW)).toEqual({ count: 31, note: '+4 today', stale: false });
    expect(insectLine(trap({ insects_today: 0 }), NOW).note).toBe('no new ones today');
  });
});

describe('clockOff', () => {
  it('speaks only of what matters', () => {
    expect(clockOff(null)).toBeNull();
    expect(clockOff(400)).toBeNull();
    expect(clockOff(4 * HOUR_MS)).toBe('4 h behind');
    expect(clockOff(-40_000)).toBe('40 s ahead');
  });
});

describe('clockAlarm', () => {
  it('trusts a carried-on clock that agrees with the server', () => {
    expect(clockAlarm(trap({ clock: 'restored', clock_behind_ms: 5 }))).toBe(false);
    expect(clockAlarm(trap({ clock: 'restored', clock_behind_ms: 5 * HOUR_MS }))).toBe(true);
    expect(clockAlarm(trap({ clock: 'unset', clock_behind_ms: 5 }))).toBe(true);
  });
});

describe('roundUp', () => {
  it('counts the conditions in a sentence', () => {
    expect(roundUp([], NOW)).toBe('No traps yet.');
    expect(roundUp([trap()], NOW)).toBe('1 trap: 1 working.');
    const never = trap({ last_contact_ms: null, next_due_ms: null });
    expect(roundUp([trap(), trap(), never], NOW)).toBe('3 traps: 2 working, 1 never heard from.');
  });
});

describe('offerLine', () => {
  it('says how far a trap is with a model', () => {
    const offer = { id: 'insect-2', offered_ms: NOW };
    expect(offerLine({ ...offer, state: null })).toBe('insect-2 offered: not heard of yet');
    const fetching = { kind: 'fetching', done_bytes: 4, size_bytes: 9 } as const;
    expect(offerLine({ ...offer, state: fetching })).toBe('insect-2 offered: fetching, 44 %');
    const refused = { kind: 'refused', reason: 'it is slower' } as const;
    expect(offerLine({ ...offer, state: refused })).toContain('refused: it is slower');
  });
});
