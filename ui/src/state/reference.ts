// Image references as distribution's grammar has them (distribution/reference, regexp.go).

import type { RegistrySpec } from '../generated/RegistrySpec';
import type { RegistryView } from '../generated/RegistryView';

export interface Reference {
  /** `cr.boss.org` or `cr.boss.org:5000`; null for a reference without a registry. */
  host: string | null;
  /** `team/app:v1`. */
  rest: string;
}

const COMPONENT = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Splits off the registry: the first component is one only with a dot or a colon in it, or as `localhost`. */
export function split(text: string): Reference {
  const trimmed = text.trim();
  const slash = trimmed.indexOf('/');
  if (slash < 0) return { host: null, rest: trimmed };
  const first = trimmed.slice(0, slash);
  const isHost = first.includes('.') || first.includes(':') || first === 'localhost';
  return isHost ? { host: first, rest: trimmed.slice(slash + 1) } : { host: null, rest: trimmed };
}

export type Flaw = 'empty' | 'uppercase' | 'repository' | 'tag' | 'digest';

/** What is wrong with `repository[:tag][@digest]`, or null. */
export function flaw(rest: string): Flaw | null {
  const [named = '', digest, ...more] = rest.split('@');
  if (more.length > 0 || (digest !== undefined && !DIGEST.test(digest))) return 'digest';
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const repository = colon < 0 ? named : named.slice(0, colon);
  const tag = colon < 0 ? null : named.slice(colon + 1);
  if (repository === '') return 'empty';
  if (/[A-Z]/.test(repository)) return 'uppercase';
  if (!REPOSITORY.test(repository) || repository.length > 255) return 'repository';
  if (tag !== null && !TAG.test(tag)) return 'tag';
  return null;
}

/** What stands in front of an image: `cr.boss.org:5000`, or the address's own where there is no tunnel. */
export function authorityOf({ name, port, url }: Pick<RegistrySpec, 'name' | 'port' | 'url'>): string {
  return url ? url.replace(/^https?:\/\//, '').replace(/\/.*$/, '') : `${name}:${port}`;
}

/** The registry a reference's host means: by name, by name and port, or by address and port. */
export function registryOf(host: string, registries: readonly RegistryView[]): RegistryView | null {
  const wanted = host.toLowerCase();
  return (
    registries.find(
      ({ spec }) =>
        wanted === spec.name ||
        wanted === `${spec.name}:${spec.port}` ||
        wanted === `${spec.address}:${spec.port}` ||
        wanted === authorityOf(spec),
    ) ?? null
  );
}

/** What an image would be called in a registry: its own name without any registry in front. */
export function nameThere(tag: string): string {
  return split(tag).rest;
}
