// The sampling effort of a window: which planned shots gave a picture and why the others did not.
import type { Span } from './gaps';
import type { EffortRow, MissReason } from './types';

export const MISS_WORDS: Record<MissReason, string> = {
  camera: 'camera failed',
  disk: 'card full or not writable',
  cut: 'cut off during the shot',
  off: 'trap was off',
  overrun: 'shot before took too long',
  battery: 'battery too low',
  clock: 'clock jumped',
};

export type MissedSpan = Span & { shots: number; reason: MissReason; detail: string };

/** The missed rows as spans of time, by start. */
export function missedSpans(rows: readonly EffortRow[]): MissedSpan[] {
  const spans: MissedSpan[] = [];
  for (const row of rows) {
    if (row.outcome.kind !== 'missed') continue;
    const { reason, detail } = row.outcome;
    spans.push({
      from_ms: row.due_ms,
      until_ms: row.last_due_ms,
      shots: row.shots,
      reason,
      detail,
    });
  }
  return spans.sort((a, b) => a.from_ms - b.from_ms);
}

/** "7 missed: 5 trap was off, 2 camera failed", most frequent first; "none missed". */
export function missedInWords(spans: readonly MissedSpan[]): string {
  const counts = new Map<MissReason, number>();
  let all = 0;
  for (const span of spans) {
    counts.set(span.reason, (counts.get(span.reason) ?? 0) + span.shots);
    all += span.shots;
  }
  if (all === 0) return 'none missed';
  const parts = [...counts.entries()]
    .sort((a, b) => b[1] - a[1])
    .map(([reason, count]) =>
      counts.size === 1 ? MISS_WORDS[reason] : `${count} ${MISS_WORDS[reason]}`,
    );
  return `${all} missed: ${parts.join(', ')}`;
}

/** The missed span that holds `time`, allowing `slack_ms` on both sides. */
export function missedAt(
  spans: readonly MissedSpan[],
  time: number,
  slack_ms: number,
): MissedSpan | null {
  const hits = spans.filter(
    (span) => time >= span.from_ms - slack_ms && time <= span.until_ms + slack_ms,
  );
  return hits.at(-1) ?? null;
}
