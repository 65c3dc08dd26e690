// Which dialog is open. Questions of the owner (`Prompt`) are not among them: they open over any of these.

import type { HostsAction } from '../generated/HostsAction';
import type { RegistryName } from '../generated/RegistryName';

export type OpenDialog =
  | { kind: 'add' }
  | { kind: 'offer' }
  | { kind: 'remove'; registry: RegistryName }
  | { kind: 'disconnect'; registry: RegistryName }
  | { kind: 'hosts'; action: HostsAction }
  | { kind: 'push'; image: string }
  | { kind: 'pull' }
  | { kind: 'archive'; paths: string[] };
