// Examinations, and what a first start finds.

import type { DoctorReport } from '../generated/DoctorReport';
import type { Link } from '../generated/Link';
import type { LinkState } from '../generated/LinkState';
import type { Proposal } from '../generated/Proposal';
import { NOW } from './words';

const WORDS: Record<Link, string> = {
  name: 'This machine leads cr.boss.org to 127.77.41.18.',
  address: '127.77.41.18 is an address of this machine.',
  listener: 'Dockline listens at 127.77.41.18:5000.',
  'ssh-reach': '88.88.88.88 answered on port 22 in 24 ms.',
  'host-key': 'It shows the ED25519 key that is in ~/.ssh/known_hosts.',
  login: 'It let us in as dockercr with ~/.ssh/id_ed25519.',
  registry: 'A registry answers at 127.0.0.1:5000 behind it.',
  'registry-login': 'It wants no login.',
  engine: 'Docker 20.10.24 answers.',
  'engine-settings': 'Docker on Linux speaks HTTP to loopback addresses by itself.',
  'engine-reach': 'Docker asked cr.boss.org:5000, and the registry answered.',
  'round-trip': '1 kB was sent, read back, and is the same.',
};
export const LINKS = Object.keys(WORDS) as Link[];

/** How a link turns out; `broken` makes the engine not get through. */
export function outcome(link: Link, broken: boolean): LinkState {
  if (broken && link === 'engine-settings') {
    return {
      kind: 'failed',
      error: {
        code: 'engine-cannot-reach',
        message: 'Docker 28.5.2 insists on HTTPS for cr.boss.org:5000, which speaks HTTP inside the tunnel.',
        hint: 'Dockline can write the setting that it needs; no container stops.',
      },
      remedy: {
        kind: 'run',
        label: 'Set up Docker…',
        command: { kind: 'plan-setup', action: 'apply', registry: 'cr.boss.org', changes: [] },
      },
    };
  }
  if (broken && (link === 'engine-reach' || link === 'round-trip')) {
    return { kind: 'skipped', why: 'Not asked, since the link before it does not hold.' };
  }
  return { kind: 'passed', words: WORDS[link] };
}

/** An examination of which that many links are through. */
export function report(id: number, registry: string, through: number, broken: boolean): DoctorReport {
  const done = through >= LINKS.length;
  return {
    id,
    registry,
    isCandidate: false,
    links: LINKS.map((link, at) => ({
      link,
      state: at < through ? outcome(link, broken) : { kind: at === through ? 'running' : 'waiting' },
    })),
    started: NOW,
    finished: done ? NOW : null,
    summary: done
      ? broken
        ? `The way to ${registry} breaks at the engine’s settings.`
        : `Everything from docker push to the blob on the host works.`
      : null,
    text: done ? `Dockline’s doctor on ${registry}\n` : null,
  };
}

export const PROPOSALS: Proposal[] = [
  {
    source: { kind: 'image', image: 'cr.boss.org:5000/shop/api:2.4.0' },
    why: 'An image here is named cr.boss.org:5000/shop/api, and ~/.ssh/config knows the host boss.',
    name: 'cr.boss.org',
    ssh: { host: 'boss', user: 'dockercr' },
    remote: null,
  },
  {
    source: { kind: 'ssh-config', host: 'lab' },
    why: 'A Host of your ~/.ssh/config that Docker’s context “lab” uses.',
    name: null,
    ssh: { host: 'lab' },
    remote: null,
  },
];
