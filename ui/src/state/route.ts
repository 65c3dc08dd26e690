// Which of a registry's hosts is in use, in words.

import type { PassedOver } from '../generated/PassedOver';
import type { RouteView } from '../generated/RouteView';
import { t } from '../strings';
import { sshText } from './ssh';

/** “Via b, since a does not answer”; null where the preferred host is in use, or none. */
export function detour(route: RouteView | null | undefined): string | null {
  if (!route || route.passedOver.length === 0) return null;
  // Two hosts behind one address differ in their port.
  const ambiguous = route.passedOver.some(({ ssh }) => ssh.host === route.ssh.host);
  const named = (ssh: RouteView['ssh']) => (ambiguous ? sshText(ssh) : ssh.host);
  const reasons = route.passedOver.map((passed) => `${named(passed.ssh)} ${predicate(passed)}`);
  return t.route.detour(named(route.ssh), t.list(reasons));
}

/** A host that somebody else may stand behind; worth more than half a sentence. */
export function suspicious(route: RouteView | null | undefined): PassedOver[] {
  return (route?.passedOver ?? []).filter(
    ({ error }) => error.code === 'host-key-changed' || error.code === 'host-key-revoked',
  );
}

function predicate({ error }: PassedOver): string {
  switch (error.code) {
    case 'ssh-host-not-found':
      return t.route.notFound;
    case 'ssh-auth':
    case 'ssh-key-unusable':
      return t.route.noLogin;
    case 'host-key-unknown':
      return t.route.unknown;
    case 'host-key-changed':
    case 'host-key-revoked':
      return t.route.wrongKey;
    case 'ssh-jump':
      return t.route.jump;
    case 'remote-closed':
    case 'registry-unreachable':
      return t.route.noRegistry;
    case 'forward-forbidden':
      return t.route.forbidden;
    default:
      return t.route.silent;
  }
}
