// How one strip is drawn with uPlot.
import type uPlot from 'uplot';
import type { MissedSpan } from './effort';
import type { Strip, StripData, StripName } from './strips';
import type { TimeWindow } from './window';

export const SYNC_KEY = 'trap-strips';
/** Width of the figures on the left; all strips have the same, so that times stand in one column. */
export const AXIS_WIDTH_PX = 48;
export const PAD_RIGHT_PX = 10;

const HEIGHTS: Record<StripName, number> = {
  insects: 130,
  temperature: 90,
  humidity: 90,
  light: 90,
  effort: 78,
};
const TIME_AXIS_PX = 44;
const NARROW_PX = 560;

export type Inks = Record<
  'ink' | 'ink2' | 'rule' | 'yellow' | 'alarm' | 'good' | StripName,
  string
>;

/** The colours of the style sheet, as the canvas needs them. */
export function inksOf(element: Element): Inks {
  const style = getComputedStyle(element);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  return {
    ink: read('--ink'),
    ink2: read('--ink-2'),
    rule: read('--rule'),
    yellow: read('--yellow'),
    alarm: read('--alarm'),
    good: read('--good'),
    insects: read('--ink'),
    temperature: read('--line-1'),
    humidity: read('--line-2'),
    light: read('--line-3'),
    effort: read('--good'),
  };
}

/** uPlot's table: times and values, with the window's ends so that it is never empty. */
export function tableOf(strip: Strip, shown: TimeWindow): uPlot.AlignedData {
  const { times, values } = strip.series;
  const first = times[0] ?? Infinity;
  const last = times.at(-1) ?? -Infinity;
  const head = shown.from_ms < first ? [shown.from_ms] : [];
  const tail = shown.until_ms > last ? [shown.until_ms] : [];
  return [
    [...head, ...times, ...tail],
    [...head.map(() => null), ...values, ...tail.map(() => null)],
  ];
}

const LIGHT_TICKS = ['0', '10', '100', '1k', '10k', '100k'];

function valueScale(name: StripName): uPlot.Scale {
  if (name === 'humidity') return { range: [0, 100] };
  if (name === 'light') return { range: [0, 5.2] };
  if (name === 'effort') return { range: [0, 1] };
  if (name === 'insects') {
    return { range: (_, __, max) => [0, Math.max(5, Math.ceil((max ?? 0) * 1.12))] };
  }
  return {
    range: (_, min, max) => {
      const middle = ((min ?? 15) + (max ?? 15)) / 2;
      const half = Math.max(2.5, (((max ?? 15) - (min ?? 15)) / 2) * 1.1);
      return [middle - half, middle + half];
    },
  };
}

function valueAxis(name: StripName, inks: Inks): uPlot.Axis {
  const axis: uPlot.Axis = {
    size: AXIS_WIDTH_PX,
    stroke: inks.ink2,
    font: '12px system-ui, sans-serif',
    gap: 6,
    space: name === 'insects' ? 30 : 26,
    grid: { stroke: inks.rule, width: 1 },
    ticks: { show: false },
  };
  if (name === 'effort') {
    return { ...axis, grid: { show: false }, splits: () => [0.5], values: () => [''] };
  }
  if (name === 'humidity') return { ...axis, splits: () => [0, 50, 100] };
  if (name === 'light') {
    return {
      ...axis,
      splits: () => [0, 1, 2, 3, 4, 5].filter((n) => n % 2 === 0),
      values: (_, at) => at.map((n) => LIGHT_TICKS[n] ?? ''),
    };
  }
  if (name === 'insects')
    return { ...axis, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000] };
  return axis;
}

const pad = (n: number): string => String(n).padStart(2, '0');
const DAY = new Intl.DateTimeFormat('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
const SHORT_DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

/** Tick texts: the time of day, and the date below it where a day begins. */
export function timeTicks(at: readonly number[], stepMs: number, narrow: boolean): string[] {
  const dayFormat = narrow ? SHORT_DAY : DAY;
  const wholeDays = stepMs >= 86_400_000;
  let lastDay = '';
  return at.map((exact) => {
    // A zoomed window ends at fractions; 05:59:59.999 is meant to be 06:00.
    const ms = Math.round(exact / 1000) * 1000;
    const date = new Date(ms);
    const day = dayFormat.format(ms).replace(',', '');
    const isNew = day !== lastDay;
    lastDay = day;
    if (wholeDays) return day;
    const minute = `${pad(date.getHours())}:${pad(date.getMinutes())}`;
    const time = stepMs < 60_000 ? `${minute}:${pad(date.getSeconds())}` : minute;
    return isNew ? `${time}\n${day}` : time;
  });
}

export type DrawSources = { data: () => StripData; shown: () => TimeWindow };

/** A hatched field behind the lines where shots were missed: nobody looked then. */
function shadeMissed(
  u: uPlot,
  spans: readonly MissedSpan[],
  colour: string,
  strong: boolean,
): void {
  const { ctx, bbox } = u;
  const unit = devicePixelRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const span of spans) {
    const left = u.valToPos(span.from_ms, 'x', true);
    const right = u.valToPos(span.until_ms, 'x', true);
    if (right < bbox.left || left > bbox.left + bbox.width) continue;
    const width = Math.max(right - left, (strong ? 3 : 2) * unit);
    hatch(ctx, left, bbox.top, width, bbox.height, colour, strong, unit);
  }
  ctx.restore();
}

function hatch(
  ctx: CanvasRenderingContext2D,
  left: number,
  top: number,
  width: number,
  height: number,
  colour: string,
  strong: boolean,
  unit: number,
): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.fillStyle = colour;
  ctx.strokeStyle = colour;
  ctx.globalAlpha = strong ? 0.3 : 0.1;
  ctx.fillRect(left, top, width, height);
  ctx.globalAlpha = strong ? 0.9 : 0.35;
  ctx.lineWidth = unit;
  ctx.beginPath();
  const step = 6 * unit;
  // The stripes hang on the canvas, not on the span, so that neighbours join.
  const first = Math.floor((left - height) / step) * step;
  for (let x = first; x < left + width; x += step) {
    ctx.moveTo(x, top + height);
    ctx.lineTo(x + height, top);
  }
  ctx.stroke();
  ctx.restore();
}

function drawShots(u: uPlot, times: readonly number[], colour: string): void {
  const { ctx, bbox } = u;
  const top = bbox.top + bbox.height * 0.2;
  const height = bbox.height * 0.6;
  const width = Math.max(1, Math.round(1.5 * devicePixelRatio));
  ctx.save();
  ctx.fillStyle = colour;
  for (const time of times) {
    const x = Math.round(u.valToPos(time, 'x', true) - width / 2);
    if (x < bbox.left - width || x > bbox.left + bbox.width) continue;
    ctx.fillRect(x, top, width, height);
  }
  ctx.restore();
}

/** Captures that nobody has counted: hollow rings on the ground line, so that they are no zeros. */
function drawUncounted(u: uPlot, data: StripData, colour: string): void {
  const { ctx, bbox } = u;
  const radius = 2.5 * devicePixelRatio;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  for (const capture of data.captures) {
    if (capture.insects !== null) continue;
    const x = u.valToPos(capture.taken_ms, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.arc(x, bbox.top + bbox.height - radius - 1, radius, 0, 2 * Math.PI);
    ctx.stroke();
  }
  ctx.restore();
}

/** Pictures with a flaw: small triangles that hang from the top, so that no count is taken for sure. */
function drawFlawed(u: uPlot, data: StripData, colour: string): void {
  const { ctx, bbox } = u;
  const half = 3.5 * devicePixelRatio;
  ctx.save();
  ctx.fillStyle = colour;
  for (const capture of data.captures) {
    if (capture.flaws.length === 0) continue;
    const x = u.valToPos(capture.taken_ms, 'x', true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x - half, bbox.top);
    ctx.lineTo(x + half, bbox.top);
    ctx.lineTo(x, bbox.top + 2 * half);
    ctx.fill();
  }
  ctx.restore();
}

function seriesOf(
  strip: Strip,
  inks: Inks,
  stepped: uPlot.Series.PathBuilder | undefined,
): uPlot.Series {
  const { name } = strip;
  if (name === 'effort') return { paths: () => null, points: { show: false } };
  const series: uPlot.Series = {
    stroke: inks[name],
    width: name === 'insects' ? 1.25 : 1.5,
    spanGaps: false,
    points: {
      size: 5,
      stroke: inks[name],
      fill: inks[name],
      filter: (u, seriesIdx) => alonePoints(u.data[seriesIdx] ?? []),
    },
  };
  if (name === 'insects') {
    series.fill = `${inks.yellow}b3`;
    // uPlot leaves half of the stroke that leads over a gap standing at its end.
    series.gaps = (_, __, ___, ____, gaps) =>
      gaps.map(([from, to]) => [from, to + devicePixelRatio]);
    if (stepped !== undefined) series.paths = stepped;
  }
  return series;
}

const isThere = (value: number | null | undefined): boolean =>
  value !== null && value !== undefined;

function alonePoints(values: ArrayLike<number | null | undefined>): number[] {
  const alone: number[] = [];
  for (let i = 0; i < values.length; i += 1) {
    const isAlone = isThere(values[i]) && !isThere(values[i - 1]) && !isThere(values[i + 1]);
    if (isAlone) alone.push(i);
  }
  return alone;
}

export function chartOptions(
  strip: Strip,
  width: number,
  inks: Inks,
  from: DrawSources,
  stepped: uPlot.Series.PathBuilder | undefined,
): uPlot.Options {
  const { name } = strip;
  const hasTimes = name === 'effort';
  const narrow = width < NARROW_PX;
  return {
    width,
    height: HEIGHTS[name],
    ms: 1,
    legend: { show: false },
    padding: [6, PAD_RIGHT_PX, hasTimes ? 0 : 6, 0],
    cursor: {
      y: false,
      points: { show: name !== 'effort', size: 7 },
      sync: { key: SYNC_KEY, scales: ['x', null] },
      drag: { x: true, y: false, setScale: false, dist: 6 },
      bind: { dblclick: () => null },
    },
    scales: {
      x: { time: true, auto: false, range: () => [from.shown().from_ms, from.shown().until_ms] },
      y: valueScale(name),
    },
    axes: [
      {
        show: true,
        size: hasTimes ? TIME_AXIS_PX : 0,
        stroke: inks.ink2,
        font: '12px system-ui, sans-serif',
        space: narrow ? 62 : 84,
        grid: { stroke: inks.rule, width: 1 },
        ticks: { show: hasTimes, stroke: inks.rule, size: 5 },
        values: (_, at, __, ___, step) =>
          hasTimes ? timeTicks(at, step, narrow) : at.map(() => ''),
      },
      valueAxis(name, inks),
    ],
    series: [{}, seriesOf(strip, inks, stepped)],
    hooks: {
      drawClear: [
        (u) => {
          shadeMissed(u, from.data().missed, name === 'effort' ? inks.alarm : inks.ink2, hasTimes);
        },
      ],
      draw: [
        (u) => {
          if (name === 'effort') drawShots(u, from.data().shotTimes, inks.effort);
          if (name === 'insects') {
            drawUncounted(u, from.data(), inks.ink2);
            drawFlawed(u, from.data(), inks.alarm);
          }
        },
      ],
    },
  };
}
