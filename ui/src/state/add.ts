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
    localhostPort: '',
    url: '',
    ca: '',
    clientCertificate: '',
    clientKey: '',
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
  localhostPort: true,
  url: true,
  ca: true,
  clientCertificate: true,
  clientKey: true,
  limitUp: true,
  limitDown: true,
  linger: true,
} satisfies Record<keyof Flaws, true>;

/** The form of a registry that there is; `linger` is what the settings say of all. */
export function formOf(spec: RegistrySpec, linger: number): AddForm {
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
    localhostPort: spec.localhostPort == null ? '' : String(spec.localhostPort),
    url: spec.url ?? '',
    ca: spec.ca ?? '',
    clientCertificate: spec.clientCertificate?.certificate ?? '',
    clientKey: spec.clientCertificate?.key ?? '',
    limitUp: rateText(spec.limits.up),
    limitDown: rateText(spec.limits.down),
    linger: spec.lingerSeconds === linger ? '' : String(spec.lingerSeconds),
    openAtStart: spec.openAtStart,
    keepOpen: spec.keepOpen,
  };
}

/** The form of a registry like another: what only one of them can have is left open. */
export function formLike(spec: RegistrySpec, linger: number): AddForm {
  return { ...formOf(spec, linger), name: '', address: '', localhostPort: '' };
}

/** What is about a tunnel, and has no meaning for a registry that is reached without one. */
const ABOUT_TUNNELS = [
  'fallbacks',
  'sshPort',
  'identity',
  'jump',
  'remote',
  'port',
  'address',
  'gateway',
  'localhostPort',
  'linger',
] as const satisfies (keyof AddForm)[];

/** Whether the registry is reached without a tunnel. */
export function isDirect(form: AddForm): boolean {
  return form.url.trim() !== '';
}

/** A text of the form that most people leave empty. */
export interface Option {
  field: Exclude<keyof AddForm, 'name' | 'ssh' | 'openAtStart' | 'keepOpen'>;
  placeholder: string;
  help?: string;
  /** It takes the whole width. */
  whole?: boolean;
  numeric?: boolean;
  /** The path of such a file. */
  file?: 'certificate' | 'key';
}

export type OptionGroup = 'registry' | 'ssh' | 'here' | 'tunnel';

/**
 * The options in the order in which they are shown; those about a tunnel only where there is one. `linger` is what the
 * settings say.
 */
export function optionGroups(form: AddForm, linger: number): { group: OptionGroup; rows: Option[] }[] {
  const client = { file: 'certificate', placeholder: '/home/you/client.pem' } as const;
  const registry: Option[] = [
    { field: 'url', placeholder: 'https://nexus.boss.org:8443', help: t.add.urlHelp, whole: true },
    { field: 'ca', placeholder: '/home/you/boss-ca.pem', help: t.add.caHelp, file: 'certificate' },
    { field: 'clientCertificate', ...client, help: t.add.clientHelp },
    { field: 'clientKey', placeholder: '/home/you/client.key', file: 'key' },
  ];
  if (isDirect(form)) return [{ group: 'registry', rows: registry }];
  const ssh: Option[] = [
    { field: 'fallbacks', placeholder: 'b.boss.org, c.boss.org', help: t.add.fallbacksHelp, whole: true },
    { field: 'sshPort', placeholder: t.add.fromConfig, numeric: true },
    { field: 'jump', placeholder: t.add.fromConfig },
    { field: 'identity', placeholder: '~/.ssh/id_ed25519', help: t.add.identityHelp, file: 'key' },
    { field: 'remote', placeholder: '127.0.0.1:5000', help: t.add.remoteHelp, whole: true },
  ];
  const here: Option[] = [
    { field: 'port', placeholder: '5000', numeric: true },
    { field: 'address', placeholder: t.add.automatic },
    {
      field: 'localhostPort',
      placeholder: t.add.localhostNone,
      help: t.add.localhostHelp,
      whole: true,
      numeric: true,
    },
    { field: 'gateway', placeholder: t.add.gatewayNone, help: t.add.gatewayHelp, whole: true },
  ];
  const tunnel: Option[] = [
    { field: 'limitUp', placeholder: t.add.unlimited },
    { field: 'limitDown', placeholder: t.add.unlimited },
    { field: 'linger', placeholder: String(linger), numeric: true },
  ];
  return [
    { group: 'ssh', rows: ssh },
    { group: 'here', rows: here },
    { group: 'tunnel', rows: tunnel },
    { group: 'registry', rows: registry },
  ];
}

/** `target` is null while anything is wrong. `taken` are the names in use. */
export function readForm(filled: AddForm, taken: readonly string[]): { target: Target | null; flaws: Flaws } {
  const flaws: Flaws = {};
  const form = isDirect(filled)
    ? {
        ...filled,
        ...Object.fromEntries(ABOUT_TUNNELS.map((field) => [field, ''])),
        openAtStart: false,
        keepOpen: false,
      }
    : filled;
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

  const localhostPort = optional(form.localhostPort, parsePort);
  if (localhostPort === undefined) flaws.localhostPort = t.add.portFlaw;

  const ca = form.ca.trim();
  if (ca !== '' && !isAbsolute(ca)) flaws.ca = t.archive.pathRelative;
  const [certificate, key] = [form.clientCertificate.trim(), form.clientKey.trim()];
  if (certificate !== '' && !isAbsolute(certificate)) flaws.clientCertificate = t.archive.pathRelative;
  else if (certificate === '' && key !== '') flaws.clientCertificate = t.add.clientBoth;
  if (key !== '' && !isAbsolute(key)) flaws.clientKey = t.archive.pathRelative;
  else if (key === '' && certificate !== '') flaws.clientKey = t.add.clientBoth;

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
    localhostPort: localhostPort ?? null,
    url: url || null,
    ca: ca || null,
    clientCertificate: certificate === '' ? null : { certificate, key },
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

/** Whole seconds, a day at most: what the configuration takes. */
function parseSeconds(text: string): number | null {
  if (!/^\d{1,5}$/.test(text.trim())) return null;
  const seconds = Number(text);
  return seconds <= 86_400 ? seconds : null;
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
