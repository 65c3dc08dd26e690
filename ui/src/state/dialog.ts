// Which dialog is open. Questions of the owner (`Prompt`) are not among them: they open over any of these.

import type { RegistryName } from '../generated/RegistryName';
import type { SetupAction } from '../generated/SetupAction';

export type OpenDialog =
  | { kind: 'add' }
  | { kind: 'offer' }
  | { kind: 'remove'; registry: RegistryName }
  | { kind: 'disconnect'; registry: RegistryName }
  | { kind: 'setup'; action: SetupAction; registry: RegistryName | null }
  | { kind: 'push'; image: string }
  | { kind: 'pull' }
  | { kind: 'archive'; paths: string[] };
