// Examinations, and what a first start finds.

import type { DoctorReport } from '../generated/DoctorReport';
import type { Link } from '../generated/Link';
import type { LinkState } from '../generated/LinkState';
import type { Proposal } from '../generated/Proposal';
import { NOW } from './words';

const WORDS: Record<Link, string> = {
  name: 'cr.boss.org leads to 127.77.41.18 on this machine.',
  address: "127.77.41.18 is this machine's.",
  listener: 'Dockline listens at 127.77.41.18:5000.',
  'ssh-reach': '88.88.88.88 answers.',
  'host-key': '88.88.88.88 shows the host key that it should.',
  login: 'The login at dockercr@88.88.88.88 works.',
  registry: 'The registry answers as cr.boss.org:5000.',
  'registry-login': 'The registry wants no login, or took the one there is.',
  engine: 'Docker 20.10.24 answers.',
  'engine-settings': 'Docker 20.10.24 has all the settings that it needs.',
  'engine-reach': 'Docker 20.10.24 asked for cr.boss.org:5000 by itself, and the registry answered.',
  'round-trip':
    "51 bytes went to dockline/doctor, came back and are the same. No tag leads to them, so the registry's garbage collection removes them.",
};
export const LINKS = Object.keys(WORDS) as Link[];

/** How a link turns out; `broken` makes the engine not get through. */
export function outcome(link: Link, broken: boolean): LinkState {
  if (broken && link === 'engine-settings') {
    return {
      kind: 'failed',
      error: {
        code: 'engine-not-set-up',
        message: 'Docker 28.5.2 cannot push there yet: Docker 28.5.2 lacks one setting.',
        hint: 'Look at what would change, and let Dockline change it: dockline setup',
      },
      remedy: {
        kind: 'run',
        label: 'Make docker push work here…',
        command: { kind: 'plan-setup', action: 'apply', registry: 'cr.boss.org', changes: [] },
      },
    };
  }
  if (broken && (link === 'engine-reach' || link === 'round-trip')) {
    return { kind: 'skipped', why: 'The way breaks before it.' };
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
        ? `The connection to ${registry} breaks at this link: the engine's settings.`
        : `The connection to ${registry} works, every link of it.`
      : null,
    text: done ? `Dockline’s doctor on ${registry}\n` : null,
  };
}

export const PROPOSALS: Proposal[] = [
  {
    source: { kind: 'image', image: 'cr.boss.org:5000/shop/api:2.4.0' },
    why: 'The image cr.boss.org:5000/shop/api:2.4.0 is named for cr.boss.org.',
    name: 'cr.boss.org',
    ssh: { host: 'boss', user: 'dockercr' },
    remote: null,
  },
  {
    source: { kind: 'ssh-config', host: 'lab' },
    why: 'lab is a host of your SSH configuration.',
    name: null,
    ssh: { host: 'lab' },
    remote: null,
  },
];
