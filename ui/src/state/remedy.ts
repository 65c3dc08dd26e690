// What a person can do about an error with one button, by its code.

import type { RegistryName } from '../generated/RegistryName';
import type { UiError } from '../generated/UiError';
import { t } from '../strings';
import type { Store } from './store.svelte';

export interface Remedy {
  label: string;
  testid: string;
  act: () => void;
}

/** The one button that helps most; null where no button of this window does, and the error's hint has to. */
export function remedy(store: Store, error: UiError, registry: RegistryName | null): Remedy | null {
  const known = registry !== null && store.snapshot?.registries.some(({ spec }) => spec.name === registry);
  switch (error.code) {
    case 'engine-cannot-reach':
    case 'engine-not-set-up':
    case 'name-not-set-up':
    case 'settings-changed':
    case 'hosts-changed':
      return {
        label: t.registries.fixHosts,
        testid: 'remedy-setup',
        act: () => (store.dialog = { kind: 'setup', action: 'apply', registry: known ? registry : null }),
      };
    case 'ssh-host-not-found':
    case 'ssh-auth':
    case 'ssh-key-unusable':
    case 'ssh-jump':
    case 'remote-closed':
    case 'port-in-use':
    case 'address-unavailable':
    case 'certificate-untrusted':
    case 'client-certificate-needed':
      return known
        ? {
            label: t.remedy.edit,
            testid: 'remedy-edit',
            act: () => (store.dialog = { kind: 'edit', registry }),
          }
        : null;
    case 'registry-auth':
    case 'registry-denied':
    case 'credential-helper':
      return known
        ? {
            label: t.remedy.login,
            testid: 'remedy-login',
            act: () => (store.dialog = { kind: 'login', registry }),
          }
        : null;
    case 'host-key-unknown':
      return known
        ? {
            label: t.remedy.connect,
            testid: 'remedy-connect',
            act: () => void store.attempt({ kind: 'connect', registry, hold: false }),
          }
        : null;
    case 'keyring':
      return { label: t.remedy.settings, testid: 'remedy-settings', act: () => store.go('settings') };
    case 'registry-disk-full':
      return known
        ? { label: t.remedy.contents, testid: 'remedy-contents', act: () => store.lookInside(registry) }
        : null;
    case 'engine-unavailable':
      return {
        label: t.images.refresh,
        testid: 'remedy-refresh',
        act: () => void store.attempt({ kind: 'refresh-images' }),
      };
    case 'ssh-unreachable':
    case 'ssh-lost':
    case 'ssh-protocol':
    case 'registry-unreachable':
    case 'registry-failed':
    case 'timed-out':
      return {
        label: t.remedy.check,
        testid: 'remedy-check',
        act: () => store.check(known ? registry : null),
      };
    default:
      return null;
  }
}
