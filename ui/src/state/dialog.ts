// Which dialog is open. Questions of the owner (`Prompt`) are not among them: they open over any of these.

import type { RegistryName } from '../generated/RegistryName';
import type { SetupAction } from '../generated/SetupAction';
import type { ImageName, Inside } from './contents.svelte';

export type OpenDialog =
  /** `like` is the registry whose settings are copied. */
  | { kind: 'add'; like?: RegistryName }
  | { kind: 'edit'; registry: RegistryName }
  | { kind: 'login'; registry: RegistryName }
  | { kind: 'team' }
  | { kind: 'palette' }
  | { kind: 'shortcuts' }
  | { kind: 'delete'; inside: Inside; ondeleted: (image: ImageName) => void }
  | { kind: 'collect'; registry: RegistryName }
  /** `to` is the registry of this machine that it is about, if that is known. */
  | { kind: 'offer'; to?: string }
  | { kind: 'remove'; registry: RegistryName }
  | { kind: 'disconnect'; registry: RegistryName }
  | { kind: 'setup'; action: SetupAction; registry: RegistryName | null }
  | { kind: 'push'; image: string }
  | { kind: 'ship'; image: string }
  /** `from` is the reference of what is to be copied. */
  | { kind: 'copy'; from?: string }
  /** `text` is what was pasted; `toFile` if it is to become an archive. */
  | { kind: 'pull'; text?: string; toFile?: boolean }
  | { kind: 'archive'; paths: string[] };
