// Numbers as a person reads them. Words come from strings/.

import { locale, t } from './strings';

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** The formatters of one language, made once. */
const formatters = new Map<string, ReturnType<typeof make>>();

function make(language: string) {
  return {
    whole: new Intl.NumberFormat(language, { maximumFractionDigits: 0 }),
    tenths: new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    relative: new Intl.RelativeTimeFormat(language, { numeric: 'auto' }),
    moment: new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }),
  };
}

function intl() {
  const language = locale();
  const known = formatters.get(language) ?? make(language);
  formatters.set(language, known);
  return known;
}

/** Decimal units, as `docker images` has them: `1.2 MB`. The space does not break. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const text = unit === 0 || value >= 99.95 ? intl().whole.format(value) : intl().tenths.format(value);
  return `${text}\u00a0${UNITS[unit]}`;
}

/** `3.4 MB/s`. */
export function rate(bytesPerSecond: number): string {
  return `${bytes(bytesPerSecond)}/s`;
}

/** A whole percentage; never 100 before the end. */
export function percent(fraction: number): string {
  return `${intl().whole.format(Math.floor(fraction * 100))}\u00a0%`;
}

/** `4 s`, `3 min`, `2 h 5 min`, `4 d`. */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return t.time.seconds(seconds);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return t.time.minutes(minutes);
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return t.time.hours(hours, minutes % 60);
  return t.time.days(Math.floor(hours / 24));
}

/** How long something took that is over: nothing takes no time. */
export function took(milliseconds: number): string {
  return milliseconds < 1000 ? t.time.underASecond : duration(milliseconds);
}

/** Rounded so that it does not flicker: nobody needs to read 4:37, 4:36, 4:38. */
export function timeLeft(seconds: number): string {
  if (seconds < 5) return t.time.fewSecondsLeft;
  if (seconds < 55) return t.time.left(t.time.seconds(Math.ceil(seconds / 5) * 5));
  if (seconds < 3_600) return t.time.left(t.time.minutes(Math.max(1, Math.round(seconds / 60))));
  const minutes = Math.round(seconds / 600) * 10;
  return t.time.left(t.time.hours(Math.floor(minutes / 60), minutes % 60));
}

/** `3 days ago`. */
export function age(then: number, now: number): string {
  const seconds = Math.round((then - now) / 1000);
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ['year', 31_557_600],
    ['month', 2_629_800],
    ['week', 604_800],
    ['day', 86_400],
    ['hour', 3_600],
    ['minute', 60],
  ];
  for (const [unit, size] of steps) {
    if (Math.abs(seconds) >= size) return intl().relative.format(Math.trunc(seconds / size), unit);
  }
  return t.time.justNow;
}

/** A date and time of day, for a title or a details list. */
export function moment(then: number): string {
  return intl().moment.format(then);
}

/** The first digits of an image's id or a digest, as Docker shows them. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}
