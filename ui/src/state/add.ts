// The form for a registry, new or changed: text in, a `Target` or the flaws of each field out.

import type { RegistrySpec } from '../generated/RegistrySpec';
import type { SshTarget } from '../generated/SshTarget';
import type { Target } from '../generated/Target';
import { t } from '../strings';
import { isAbsolute } from './archive';
import { parseRate, rateText } from './limit';
import { nameFlaw } from './name';
import { isRemoteEnd, parsePort, parseSsh, sshText } from './ssh';

export function emptyForm() {
  return {
    name: '',
    ssh: '',
    fallbacks: '',
    sshPort: '',
    identity: '',
    jump: '',
    remote: '',
    port: '',
    address: '',
    gateway: '',
    url: '',
    ca: '',
    limitUp: '',
    limitDown: '',
    linger: '',
    openAtStart: false,
    keepOpen: false,
  };
}

export type AddForm = ReturnType<typeof emptyForm>;

/** A sentence for each field that will not do. */
export type Flaws = Partial<
  Record<Exclude<keyof AddForm, 'identity' | 'jump' | 'openAtStart' | 'keepOpen'>, string>
>;

/** Every field that may have a flaw. */
export const JUDGED = {
  name: true,
  ssh: true,
  fallbacks: true,
  sshPort: true,
  remote: true,
  port: true,
  address: true,
  gateway: true,
  url: true,
  ca: true,
  limitUp: true,
  limitDown: true,
  linger: true,
} satisfies Record<keyof Flaws, true>;

/** The form of a registry that there is. */
export function formOf(spec: RegistrySpec): AddForm {
  const plain = (ssh: SshTarget) => sshText({ host: ssh.host, user: ssh.user, port: ssh.port });
  return {
    name: spec.name,
    ssh: spec.url ? '' : plain(spec.ssh),
    fallbacks: spec.fallbacks.map(plain).join(', '),
    sshPort: '',
    identity: spec.ssh.identity ?? '',
    jump: spec.ssh.jump ?? '',
    remote: spec.remote === '127.0.0.1:5000' ? '' : spec.remote,
    port: spec.port === 5000 ? '' : String(spec.port),
    address: spec.url ? '' : spec.address,
    gateway: spec.gateway ?? '',
    url: spec.url ?? '',
    ca: spec.ca ?? '',
    limitUp: rateText(spec.limits.up),
    limitDown: rateText(spec.limits.down),
    linger: spec.lingerSeconds === 10 ? '' : String(spec.lingerSeconds),
    openAtStart: spec.openAtStart,
    keepOpen: spec.keepOpen,
  };
}

/** The form of a registry like another: what only one of them can have is left open. */
export function formLike(spec: RegistrySpec): AddForm {
  return { ...formOf(spec), name: '', address: '' };
}

/** `target` is null while anything is wrong. `taken` are the names in use; `base` is what is being changed. */
export function readForm(
  form: AddForm,
  taken: readonly string[],
  base: RegistrySpec | null = null,
): { target: Target | null; flaws: Flaws } {
  const flaws: Flaws = {};
  const name = form.name.trim().toLowerCase();
  const wrongName = nameFlaw(name);
  if (wrongName) flaws.name = t.add.nameFlaw[wrongName];
  else if (taken.includes(name)) flaws.name = t.add.nameTaken;

  const url = form.url.trim();
  const urlHost = url === '' ? null : hostOfUrl(url);
  if (url !== '' && urlHost === null) flaws.url = t.add.urlFlaw;

  const ssh = urlHost !== null ? { host: urlHost, user: null, port: null } : parseSsh(form.ssh);
  if (!ssh) flaws.ssh = t.add.sshFlaw;

  const sshPort = optional(form.sshPort, parsePort);
  if (sshPort === undefined) flaws.sshPort = t.add.portFlaw;
  else if (sshPort !== null && ssh?.port && ssh.port !== sshPort) flaws.sshPort = t.add.portTwice;

  const others = form.fallbacks.split(/[\s,]+/).filter((text) => text !== '');
  const read = others.map((text) => ({ text, ssh: parseSsh(text) }));
  const unread = read.find((other) => other.ssh === null);
  const fallbacks = read.flatMap((other) => other.ssh ?? []);
  const texts = [...(ssh ? [ssh] : []), ...fallbacks].map(sshText);
  const twice = texts.find((text, at) => texts.indexOf(text) !== at);
  if (unread) flaws.fallbacks = t.add.fallbacksFlaw(unread.text);
  else if (twice) flaws.fallbacks = t.add.fallbacksTwice(twice);

  const port = optional(form.port, parsePort);
  if (port === undefined) flaws.port = t.add.portFlaw;

  const remote = form.remote.trim();
  if (remote !== '' && !isRemoteEnd(remote)) flaws.remote = t.add.remoteFlaw;

  const address = form.address.trim();
  if (address !== '' && !isLoopback(address)) flaws.address = t.add.addressFlaw;

  const gateway = form.gateway.trim();
  if (gateway !== '' && !isPrivate(gateway)) flaws.gateway = t.add.gatewayFlaw;

  const ca = form.ca.trim();
  if (ca !== '' && !isAbsolute(ca)) flaws.ca = t.archive.pathRelative;

  const up = optional(form.limitUp, parseRate);
  if (up === undefined) flaws.limitUp = t.add.limitFlaw;
  const down = optional(form.limitDown, parseRate);
  if (down === undefined) flaws.limitDown = t.add.limitFlaw;

  const linger = optional(form.linger, parseSeconds);
  if (linger === undefined) flaws.linger = t.add.lingerFlaw;

  if (!ssh || Object.keys(flaws).length > 0) return { target: null, flaws };
  /** What is set for the registry holds for all of its hosts. */
  const complete = (host: SshTarget): SshTarget => ({
    ...host,
    port: host.port ?? sshPort ?? null,
    identity: form.identity.trim() || null,
    jump: form.jump.trim() || null,
  });
  const target: Target = {
    name,
    ssh: urlHost !== null ? ssh : complete(ssh),
    fallbacks: fallbacks.map(complete),
    remote: remote || null,
    port: port ?? null,
    address: address || null,
    gateway: gateway || null,
    localhostPort: base?.localhostPort ?? null,
    url: url || null,
    ca: ca || null,
    clientCertificate: base?.clientCertificate ?? null,
    limits: { up: up ?? null, down: down ?? null },
    lingerSeconds: linger ?? null,
    openAtStart: form.openAtStart,
    keepOpen: form.keepOpen,
  };
  return { target, flaws };
}

/** Null for an empty text, undefined for a wrong one. */
function optional(text: string, parse: (text: string) => number | null): number | null | undefined {
  return text.trim() === '' ? null : (parse(text) ?? undefined);
}

/** Whole seconds, an hour at most. */
function parseSeconds(text: string): number | null {
  if (!/^\d{1,4}$/.test(text.trim())) return null;
  const seconds = Number(text);
  return seconds <= 3_600 ? seconds : null;
}

/** The host of a registry that is reached without a tunnel; plain HTTP only on this machine itself. */
function hostOfUrl(text: string): string | null {
  const url = URL.parse?.(text) ?? parseUrl(text);
  if (!url || url.username !== '' || url.search !== '' || url.hash !== '') return null;
  const isHere = url.hostname === 'localhost' || url.hostname === '[::1]' || isLoopback(url.hostname);
  return url.protocol === 'https:' || (url.protocol === 'http:' && isHere) ? url.hostname : null;
}

function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

function isLoopback(text: string): boolean {
  return octets(text)?.[0] === 127;
}

/** An address that a container network can have (RFC 1918, RFC 6598). */
function isPrivate(text: string): boolean {
  const [a, b] = octets(text) ?? [];
  if (a === undefined || b === undefined) return false;
  return (
    a === 10 ||
    (a === 172 && b >= 16 && b < 32) ||
    (a === 192 && b === 168) ||
    (a === 100 && b >= 64 && b < 128)
  );
}

function octets(text: string): number[] | null {
  const parts = text.split('.');
  const numbers = parts.map(Number);
  const sound =
    parts.length === 4 && parts.every((o) => /^\d{1,3}$/.test(o)) && numbers.every((n) => n <= 255);
  return sound ? numbers : null;
}
