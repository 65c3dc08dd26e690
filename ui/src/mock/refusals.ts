// What the owner says when it does not do what was asked; `&refuse=KIND` of a command has it said.

import type { Command } from '../generated/Command';
import type { UiError } from '../generated/UiError';

const UNREACHED: UiError = {
  code: 'ssh-unreachable',
  message: '88.88.88.88 did not answer on port 22 within 10 s.',
  hint: 'Check that the host is on, and that no firewall is in the way.',
};

const FULL: UiError = {
  code: 'config-io',
  message: '/home/you/.config/dockline/config.toml cannot be written: No space left on device (os error 28).',
  hint: 'Make the folder writable, or name another one in DOCKLINE_HOME.',
};

const REFUSALS: Partial<Record<Command['kind'], UiError>> = {
  'add-registry': FULL,
  'change-registry': FULL,
  'remove-registry': FULL,
  'apply-setup': {
    code: 'permission-denied',
    message: 'Nothing was changed: the administrator’s password was not given.',
  },
  login: {
    code: 'registry-auth',
    message: 'cr.boss.org:5000 did not accept this name and password.',
    hint: 'Nothing was kept. Check both; some registries want a token instead of the password.',
  },
  push: {
    code: 'engine-failed',
    message: 'The engine could not push shop/api:2.4.1.',
    details: 'Error response from daemon: No such image: shop/api:2.4.1',
  },
  ship: {
    code: 'engine-permission',
    message: 'On prod.boss.org, deploy may not use Docker.',
    hint: 'Add that user to the group docker there (usermod -aG docker USER), or log in as another.',
    details:
      'permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock',
  },
  offer: {
    code: 'port-in-use',
    message: '127.0.0.1:5000 is taken on prod.boss.org: something listens there already.',
    hint: 'Choose another port with --port, or stop what listens there.',
  },
  'plan-collect': {
    code: 'collect-refused',
    message:
      "dockercr may not look after the registry on 88.88.88.88: that takes Docker's group, sudo or root.",
    hint: 'Name a login that may: --ssh root@HOST',
  },
  'plan-import': {
    code: 'config-invalid',
    message:
      'The team file does not read: line 3, column 8: keep-open must be true or false, without quotes.',
    hint: 'A team file is what `dockline team export` writes.',
  },
};

/** Why that command is refused. */
export function refusal(kind: Command['kind']): UiError {
  return REFUSALS[kind] ?? UNREACHED;
}
