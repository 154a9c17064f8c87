// Checks of what the strips draw and say.
import { describe, expect, it } from 'vitest';
import { missedAt, missedInWords, missedSpans } from './effort';
import { stripData, type Strip, type StripName } from './strips';
import { MINUTE_MS } from './time';
import type { EffortRow, MissReason, Timeline } from './types';

const START = Date.UTC(2026, 5, 21);
const at = (minutes: number): number => START + minutes * MINUTE_MS;

const miss = (minutes: number, shots = 1, reason: MissReason = 'off'): EffortRow => ({
  trap: 'aaaaaaaa',
  id: '7f3a9c21-00000001',
  due_ms: at(minutes),
  last_due_ms: at(minutes + 10 * (shots - 1)),
  shots,
  outcome: { kind: 'missed', reason, detail: '' },
});

const capture = (minutes: number, insects: number | null): Timeline['captures'][number] => ({
  taken_ms: at(minutes),
  id: `7f3a9c21-${minutes}`,
  insects,
  picture_state: 'stored',
  flaws: [],
});

const reading = (minutes: number, celsius: number | null): Timeline['readings'][number] => ({
  taken_ms: at(minutes),
  temperature_c: celsius,
  humidity_percent: 60,
  light_lux: 999,
});

const line = (change: Partial<Timeline> = {}): Timeline => ({
  from_ms: at(0),
  until_ms: at(100),
  readings: [0, 10, 20, 60].map((minutes) => reading(minutes, 10 + minutes)),
  captures: [capture(0, 0), capture(10, 3), capture(20, null), capture(60, 4)],
  missed: [miss(30, 3)],
  truncated: false,
  ...change,
});

function strip(name: StripName, timeline = line()): Strip {
  const found = stripData(timeline).strips.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found;
}

describe('stripData', () => {
  it('breaks all measured strips over the missed shots', () => {
    expect(strip('temperature').series.values).toEqual([10, 20, 30, null, 70]);
    expect(strip('insects').series.values).toEqual([0, 3, 3, null, null, 4, 4]);
  });

  it('draws light in powers of ten', () => {
    expect(strip('light').series.values[0]).toBeCloseTo(3);
  });

  it('says one moment, and the range when no moment is meant', () => {
    expect(strip('temperature').say(at(11))).toBe('20.0 °C');
    expect(strip('temperature').say(at(40))).toBe('–');
    expect(strip('temperature').say(null)).toBe('10.0 °C to 70.0 °C');
    expect(strip('insects').say(at(0))).toBe('no insects');
    expect(strip('insects').say(at(20))).toBe('not inspected');
    expect(strip('effort').say(null)).toBe('4 taken, 3 missed: trap was off');
    expect(strip('effort').say(at(41))).toBe('3 shots missed: trap was off');
    expect(strip('effort').say(at(60))).toBe('taken');
  });

  it('leaves poor pictures out of the counts, and their shots in', () => {
    const dark = { ...capture(10, 3), flaws: ['dark' as const] };
    const timeline = line({ captures: [capture(0, 0), dark, capture(20, 1)] });
    expect(strip('insects', timeline).say(at(10))).toBe('3 insects, picture too dark');
    const good = stripData(timeline, true);
    expect(good.captures.map(({ insects }) => insects)).toEqual([0, 1]);
    expect([good.flawed, good.shotTimes.length]).toEqual([1, 3]);
    expect(good.strips.find(({ name }) => name === 'effort')?.say(null)).toMatch(/^3 taken/);
  });

  it('says so when nothing is there', () => {
    const empty = line({ readings: [], captures: [], missed: [] });
    expect(strip('temperature', empty).say(null)).toBe('no readings');
    expect(strip('insects', empty).say(null)).toBe('no captures');
    expect(strip('effort', empty).say(at(5))).toBe('none planned');
  });

  it('keeps captures from 1970 off the axis and counts them', () => {
    const timeless = { ...capture(0, 1), taken_ms: 5 * MINUTE_MS };
    const data = stripData(line({ captures: [timeless, capture(10, 2)] }));
    expect(data.timeless).toBe(1);
    expect(data.captureTimes).toEqual([at(10)]);
  });
});

describe('missed shots', () => {
  it('are counted by reason, most frequent first', () => {
    const spans = missedSpans([miss(0, 2, 'camera'), miss(30, 5, 'off')]);
    expect(missedInWords(spans)).toBe('7 missed: 5 trap was off, 2 camera failed');
    expect(missedInWords([])).toBe('none missed');
  });

  it('are found at their time', () => {
    const spans = missedSpans([miss(30, 3)]);
    expect(missedAt(spans, at(45), 0)?.shots).toBe(3);
    expect(missedAt(spans, at(51), 0)).toBeNull();
    expect(missedAt(spans, at(51), 5 * MINUTE_MS)?.reason).toBe('off');
  });
});
