// Builders for recorded states. Times are relative to `NOW`, so that pictures are the same every time.

import type { ImageView } from '../generated/ImageView';
import type { LayerState } from '../generated/LayerState';
import type { LayerView } from '../generated/LayerView';
import type { LeaseHolder } from '../generated/LeaseHolder';
import type { LeaseView } from '../generated/LeaseView';
import type { RegistryView } from '../generated/RegistryView';
import type { Snapshot } from '../generated/Snapshot';
import type { TransferView } from '../generated/TransferView';
import type { TunnelState } from '../generated/TunnelState';

export const NOW = Date.now();
export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const MB = 1_000_000;

export const DIGEST = 'sha256:9f1c2e7ab04d5c3386e0d1b77a52f4c96b8e13d0457fa92cbe6108d3f7a4e215';

/** A digest-like text that is different for each seed and the same each time. */
export function hex(seed: number, digits = 64): string {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  let text = '';
  while (text.length < digits) {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    text += state.toString(16).padStart(8, '0');
  }
  return text.slice(0, digits);
}

export function lease(holder: LeaseHolder, ago = MINUTE, program?: string): LeaseView {
  return { holder, since: NOW - ago, ...(program ? { program } : {}) };
}

export function registry(
  name: string,
  state: TunnelState,
  more: Partial<RegistryView['spec']> = {},
): RegistryView {
  return {
    spec: {
      name,
      ssh: { host: '88.88.88.88', user: 'dockercr' },
      fallbacks: [],
      remote: '127.0.0.1:5000',
      address: '127.77.41.18',
      port: 5000,
      lingerSeconds: 10,
      keepOpen: false,
      openAtStart: false,
      limits: { up: null, down: null },
      ...more,
    },
    aliasReady: true,
    tunnel: { state, leases: [], bytesUp: 0, bytesDown: 0 },
  };
}

export function layer(seed: number, state: LayerState, current: number, total: number | null): LayerView {
  return { id: hex(seed, 12), state, current, total };
}

/** As the owner makes it where all sizes are known from the beginning. */
export function share({ state, current = 0, total = 0 }: Partial<TransferView>): number | null {
  if (state?.kind === 'done') return 1000;
  return total > 0 ? Math.min(Math.floor((current / total) * 1000), 995) : null;
}

export function transfer(id: number, more: Partial<TransferView>): TransferView {
  return {
    id,
    kind: 'push',
    road: 'engine',
    registry: 'cr.boss.org',
    host: null,
    source: 'shop/api:2.4.1',
    reference: 'cr.boss.org:5000/shop/api:2.4.1',
    state: { kind: 'running' },
    layers: [],
    current: 0,
    total: 0,
    share: share(more),
    sent: 0,
    skipped: 0,
    rate: null,
    secondsLeft: null,
    started: NOW - 20 * SECOND,
    finished: null,
    ...more,
  };
}

/** One that was pushed to whatever registries its names have. */
export function image(seed: number, tags: string[], size: number, ago: number): ImageView {
  const heldAt = tags.filter((tag) => tag.includes('.')).map((tag) => tag.replace(/:[^:/]*$/, ''));
  return { id: `sha256:${hex(seed)}`, tags, size, created: NOW - ago, heldAt };
}

export function snapshot(more: Partial<Snapshot>): Snapshot {
  return {
    sequence: 1,
    configPath: '~/.config/dockline/config.toml',
    configError: null,
    registries: [],
    transfers: [],
    engine: { state: { kind: 'ready', name: 'Docker 20.10.24' }, images: [] },
    offers: [],
    prompts: [],
    setup: null,
    settings: {
      transfersPerRegistry: 2,
      lingerSeconds: 10,
      keepaliveSeconds: 3,
      keyring: true,
      notices: { done: true, failed: true, hostKey: true, tunnelLost: true, update: true },
      theme: 'system',
      language: 'system',
      context: null,
      textPercent: 100,
      updateCheck: 'off',
      updateUrl: null,
      startAtLogin: true,
    },
    places: {
      config: '/home/you/.config/dockline/config.toml',
      state: '/home/you/.local/state/dockline',
      control: '/run/user/1000/dockline/control',
      hosts: '/etc/hosts',
      ssh: '/home/you/.ssh',
    },
    paused: false,
    doctors: [],
    updates: { running: '0.1.0', asking: false, last: null, failure: null },
    ...more,
  };
}
