// A rate as people write it: `500k`, `2M`, `1.5 MB/s`; the same rules as `TrafficLimits` in the model.

/** No slower than this, in bytes a second. */
const LEAST = 10_000;

const UNITS: Record<string, number> = {
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 1024,
  ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

/** Bytes a second, or null for what is no rate. */
export function parseRate(text: string): number | null {
  const parts = /^(\d+(?:\.\d+)?) *([KkMG]?i?)B?(?:\/s)?$/.exec(text.trim().replace(',', '.'));
  const factor = UNITS[parts?.[2] ?? 'none'];
  if (!parts || factor === undefined) return null;
  const rate = Math.round(Number(parts[1]) * factor);
  return rate >= LEAST && rate <= 9e15 ? rate : null;
}

/** A rate that `parseRate` reads back. */
export function rateText(rate: number | null | undefined): string {
  if (rate === null || rate === undefined) return '';
  for (const [factor, unit] of [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (rate % factor === 0) return `${rate / factor}${unit}`;
  }
  return String(rate);
}
