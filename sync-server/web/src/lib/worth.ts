// How a picture was taken and what it is worth, in words.
import type { PictureFlaw, PictureQuality, ShotCause, ShotFacts } from './types';

export const FLAW_WORDS: Record<PictureFlaw, string> = {
  covered: 'shows nothing',
  dark: 'too dark',
  overexposed: 'overexposed',
  blurred: 'blurred',
  cast: 'other light',
  other: 'poor',
};

export const FLAW_REASONS: Record<PictureFlaw, string> = {
  covered: 'A cover on the lens, a lamp that failed, or thick fog.',
  dark: 'Small insects drown in the noise of so little light.',
  overexposed: 'Large parts are burnt out, and what sits there is not seen.',
  blurred: 'Much less sharp than this trap’s pictures before it: dew, dirt, or the focus.',
  cast: 'Hardly any of this trap’s last pictures was taken in a light of this colour.',
  other: 'The trap found something that this page has no words for.',
};

export const CAUSE_WORDS: Record<ShotCause, string> = {
  schedule: 'by schedule',
  trigger: 'by a trigger',
  visit: 'during a visit',
  other: 'for a reason unknown here',
};

/** "too dark, blurred"; empty for a good picture. */
export const flawWords = (flaws: readonly PictureFlaw[]): string =>
  flaws.map((flaw) => FLAW_WORDS[flaw]).join(', ');

/** "1/120 s", "2.5 s". */
export function exposure(us: number): string {
  if (us <= 0) return '0 s';
  const seconds = us / 1_000_000;
  if (seconds >= 0.3) return `${Number(seconds.toPrecision(2))} s`;
  return `1/${Math.round(1 / seconds)} s`;
}

/** Where the lens is sharp: "focus at 22 cm". */
export function focus(dioptres: number): string {
  if (dioptres <= 0) return 'focus at infinity';
  const metres = 1 / dioptres;
  return metres < 1 ? `focus at ${Math.round(metres * 100)} cm` : `focus at ${metres.toFixed(1)} m`;
}

/** What the camera said, in one line; empty when it said nothing. */
export function shotWords(shot: ShotFacts | null): string {
  if (shot === null) return '';
  const parts: string[] = [];
  if (shot.exposure_us !== undefined) parts.push(exposure(shot.exposure_us));
  if (shot.gain !== undefined) parts.push(`gain ${Number(shot.gain.toPrecision(3))}`);
  if (shot.lens_dioptres !== undefined) parts.push(focus(shot.lens_dioptres));
  if (shot.white_balance_k !== undefined) parts.push(`white at ${shot.white_balance_k} K`);
  if (shot.sensor_model !== undefined) parts.push(shot.sensor_model);
  if (shot.sensor_c !== undefined) parts.push(`sensor at ${shot.sensor_c.toFixed(0)} °C`);
  return parts.join(', ');
}

/** What was measured of the picture, in one line. */
export function qualityWords(quality: PictureQuality): string {
  const percent = (share: number): string => `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
  return [
    `sharpness ${quality.sharpness.toFixed(2)}`,
    `brightness ${quality.mean_luma.toFixed(0)} of 255`,
    `contrast ${quality.contrast.toFixed(0)}`,
    `${percent(quality.dark_share)} black`,
    `${percent(quality.bright_share)} burnt out`,
  ].join(', ');
}
