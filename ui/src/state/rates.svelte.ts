// How fast bytes go through each tunnel, second by second, for a minute: worked out here from the counters that the
// owner sends anyway. Nothing runs while no tunnel is up or nobody looks.

import type { RegistryView } from '../generated/RegistryView';

/** Samples that are kept, one a second. */
export const LENGTH = 60;
const SECOND = 1_000;

/** Bytes a second, each way. */
export interface Sample {
  up: number;
  down: number;
}

interface Kept {
  samples: Sample[];
  bytesUp: number;
  bytesDown: number;
}

export class Rates {
  #kept = $state.raw<ReadonlyMap<string, Kept>>(new Map());
  #timer: ReturnType<typeof setInterval> | undefined;
  #last = 0;

  of(registry: string): readonly Sample[] {
    return this.#kept.get(registry)?.samples ?? [];
  }

  /** Begins to sample, or stops, as the state asks for. */
  follow(read: () => readonly RegistryView[]): void {
    const wanted = read().some(({ tunnel }) => tunnel.state.kind === 'up');
    if (wanted && this.#timer === undefined) {
      this.sample(read(), Date.now());
      this.#timer = setInterval(() => {
        if (document.visibilityState === 'hidden') return;
        this.sample(read(), Date.now());
        if (!read().some(({ tunnel }) => tunnel.state.kind === 'up')) this.stop();
      }, SECOND);
    }
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Takes one sample of each tunnel. */
  sample(registries: readonly RegistryView[], now: number): void {
    // A timer may be late; a rate is per second all the same.
    const seconds = this.#last === 0 ? 1 : Math.max((now - this.#last) / SECOND, 0.1);
    // Nobody looked, or nothing was up: of a short while the average is known, of a long one nothing of its last minute.
    const missed = Math.max(Math.round(seconds) - 1, 0);
    const isStale = missed >= LENGTH;
    this.#last = now;
    this.#kept = new Map(
      registries
        .filter(({ tunnel, spec }) => tunnel.state.kind === 'up' || this.#kept.has(spec.name))
        .map(({ spec, tunnel }) => {
          const { bytesUp, bytesDown } = tunnel;
          const before = this.#kept.get(spec.name);
          // Counters begin again with a new owner.
          const grown = (after: number, count: number | undefined) =>
            count === undefined || after < count || isStale ? 0 : (after - count) / seconds;
          const sample = { up: grown(bytesUp, before?.bytesUp), down: grown(bytesDown, before?.bytesDown) };
          const earlier =
            before && !isStale ? [...before.samples, ...Array<Sample>(missed).fill(sample)] : [];
          const samples = [...earlier, sample].slice(-LENGTH);
          return [spec.name, { samples, bytesUp, bytesDown }] as const;
        }),
    );
  }
}

/** The highest of all samples; never below 10 kB/s, so that a keepalive does not look like a flood. */
export function peak(samples: readonly Sample[]): number {
  return samples.reduce((highest, { up, down }) => Math.max(highest, up, down), 10_000);
}

/** An area from the base line: the newest sample at the right end. */
export function path(
  samples: readonly Sample[],
  way: keyof Sample,
  highest: number,
  base: number,
  height: number,
): string {
  if (samples.length === 0) return '';
  const start = LENGTH - samples.length;
  const points = samples.map(
    (sample, at) => `L${start + at} ${(base + (sample[way] / highest) * height).toFixed(1)}`,
  );
  return `M${start} ${base}${points.join('')}L${LENGTH - 1} ${base}Z`;
}
