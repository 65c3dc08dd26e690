// SSH destinations as a person types them; the same rules as `SshTarget` in the model.

import type { RegistrySpec } from '../generated/RegistrySpec';
import type { SshTarget } from '../generated/SshTarget';

/** Reads `[user@]host[:port]` or `ssh://…`; null if it is neither. */
export function parseSsh(text: string): SshTarget | null {
  const rest = text
    .trim()
    .replace(/^ssh:\/\//, '')
    .replace(/\/+$/, '');
  const at = rest.lastIndexOf('@');
  const user = at < 0 ? null : rest.slice(0, at);
  const where = rest.slice(at + 1);
  let host = where;
  let port: string | null = null;
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(where);
  if (bracketed) {
    host = bracketed[1] ?? '';
    port = bracketed[2] ?? null;
  } else if (where.startsWith('[')) {
    return null;
  } else if (where.split(':').length === 2) {
    [host = '', port = ''] = where.split(':');
  }
  if (!isPlain(host) || (user !== null && !isPlain(user))) return null;
  if (port !== null && parsePort(port) === null) return null;
  return { host, user, port: port === null ? null : parsePort(port) };
}

/** 1 to 65535, or null. */
export function parsePort(text: string): number | null {
  if (!/^\d{1,5}$/.test(text.trim())) return null;
  const port = Number(text);
  return port >= 1 && port <= 65_535 ? port : null;
}

/** `host:port`, `[v6]:port` or an absolute path. */
export function isRemoteEnd(text: string): boolean {
  if (text.startsWith('/')) return true;
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon);
  return colon > 0 && !/\s/.test(host) && parsePort(text.slice(colon + 1)) !== null;
}

/** How a target reads in a line of text. */
export function sshText(target: SshTarget): string {
  const host = target.port && target.host.includes(':') ? `[${target.host}]` : target.host;
  return `${target.user ? `${target.user}@` : ''}${host}${target.port ? `:${target.port}` : ''}`;
}

// A host that starts with a hyphen would be an option to `ssh`.
function isPlain(text: string): boolean {
  return text !== '' && !text.startsWith('-') && !/[\s/]/.test(text);
}

/** All hosts of a registry, the preferred one first. */
export function hostsOf({ ssh, fallbacks }: Pick<RegistrySpec, 'ssh' | 'fallbacks'>): SshTarget[] {
  return [ssh, ...fallbacks];
}
