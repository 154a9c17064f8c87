// Figures with their units, as they are shown on the pages.

/** "21.4 °C"; a dash when the sensor gave nothing. */
export const temperature = (celsius: number | null): string =>
  celsius === null ? '–' : `${celsius.toFixed(1).replace(/^-0\.0$/, '0.0')} °C`;

export const humidity = (percent: number | null): string =>
  percent === null ? '–' : `${percent.toFixed(0)} %`;

export function light(lux: number | null): string {
  if (lux === null) return '–';
  if (lux >= 10_000) return `${Math.round(lux / 1000)} klx`;
  if (lux >= 1_000) return `${(lux / 1000).toFixed(1)} klx`;
  return `${lux.toFixed(lux > 0 && lux < 10 ? 1 : 0)} lx`;
}

export const volts = (v: number | null): string => (v === null ? '–' : `${v.toFixed(2)} V`);

/** "812 kB", "2.4 MB". */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  if (size < 1_000_000) return `${Math.round(size / 1000)} kB`;
  return `${(size / 1_000_000).toFixed(1)} MB`;
}

/** "1 capture", "2 captures", with a thin space between thousands. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

export const grouped = (count: number): string =>
  String(count).replace(/\B(?=(\d{3})+(?!\d))/g, '\u202f');
