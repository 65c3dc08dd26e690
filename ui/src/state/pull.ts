// A pasted reference, read with what is configured in mind.

import type { RegistryView } from '../generated/RegistryView';
import { t } from '../strings';
import { authorityOf, flaw, registryOf, split } from './reference';

/** The reference to pull, with its registry and port; or a sentence on why there is none. */
export function readPull(
  text: string,
  registries: readonly RegistryView[],
): { reference: string; flaw: null } | { reference: null; flaw: string } {
  // People paste the whole command.
  const pasted = text.trim().replace(/^(sudo\s+)?(docker|podman)\s+(image\s+)?pull\s+/, '');
  const { host, rest } = split(pasted);
  const only = registries.length === 1 ? registries[0] : undefined;
  const registry = host === null ? only : registryOf(host, registries);
  const wrong = flaw(rest);
  if (wrong) return { reference: null, flaw: t.referenceFlaw[wrong] };
  if (!registry) {
    const known = registries.map(({ spec }) => spec.name);
    if (host === null) return { reference: null, flaw: t.pull.noRegistry };
    const list = known.length > 0 && known.length < 6 ? ` ${t.pull.known(t.list(known))}` : '';
    return { reference: null, flaw: t.pull.unknownRegistry(host) + list };
  }
  return { reference: `${authorityOf(registry.spec)}/${rest}`, flaw: null };
}

/** A file's name for what is pulled: `app-v1.tar`. */
export function archiveName(text: string): string {
  const last = split(text.trim()).rest.split('/').at(-1) ?? '';
  const plain = last.replace(/@.*$/, '').replaceAll(/[^\w.-]+/g, '-');
  return `${plain || 'image'}.tar`;
}

/** Whether a pasted text is a reference in one of the registries, or a command that pulls one. */
export function looksPullable(text: string, registries: readonly RegistryView[]): boolean {
  const one = text.trim();
  if (one.length > 400 || /[\n\r]/.test(one)) return false;
  const { host } = split(one.replace(/^(sudo\s+)?(docker|podman)\s+(image\s+)?pull\s+/, ''));
  return (
    host !== null && registryOf(host, registries) !== null && readPull(one, registries).reference !== null
  );
}
