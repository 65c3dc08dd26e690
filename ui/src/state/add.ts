// The form for a new registry: text in, a `Target` or the flaws of each field out.

import type { Target } from '../generated/Target';
import { t } from '../strings';
import { nameFlaw } from './name';
import type { SshTarget } from '../generated/SshTarget';
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
    keepOpen: false,
  };
}

export type AddForm = ReturnType<typeof emptyForm>;

/** A sentence for each field that will not do. */
export type Flaws = Partial<
  Record<'name' | 'ssh' | 'fallbacks' | 'sshPort' | 'remote' | 'port' | 'address' | 'gateway', string>
>;

/** `target` is null while anything is wrong. `taken` are the names in use. */
export function readForm(form: AddForm, taken: readonly string[]): { target: Target | null; flaws: Flaws } {
  const flaws: Flaws = {};
  const name = form.name.trim().toLowerCase();
  const wrongName = nameFlaw(name);
  if (wrongName) flaws.name = t.add.nameFlaw[wrongName];
  else if (taken.includes(name)) flaws.name = t.add.nameTaken;

  const ssh = parseSsh(form.ssh);
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
    ssh: complete(ssh),
    fallbacks: fallbacks.map(complete),
    remote: remote || null,
    port: port ?? null,
    address: address || null,
    gateway: gateway || null,
    localhostPort: null,
    ca: null,
    lingerSeconds: null,
    keepOpen: form.keepOpen,
    url: null,
    clientCertificate: null,
  };
  return { target, flaws };
}

/** Null for an empty text, undefined for a wrong one. */
function optional(text: string, parse: (text: string) => number | null): number | null | undefined {
  return text.trim() === '' ? null : (parse(text) ?? undefined);
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
