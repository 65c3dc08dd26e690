// The window without an owner, for a designer and for the pictures: `?mock=NAME`, and `&prompt=KIND` (`&again`: after a
// wrong answer), `&refuse=KIND` of commands, `&setup=CASE`, `&broken`, `&sample`, `&reading=MILLISECONDS` of packed archives.
// `storm` sends 200 events a second about a transfer of 60 layers, to see what redrawing costs.

import type { Backend } from '../backend/backend';
import type { Question } from '../generated/Question';
import type { Snapshot } from '../generated/Snapshot';
import { failing } from './failing';
import { full } from './full';
import { many } from './many';
import { Owner } from './owner';
import type { SetupCase } from './setup';
import { snapshot } from './words';

const STATES: Record<string, () => Snapshot> = {
  full,
  failing,
  many,
  empty: () => snapshot({}),
  slow: full,
  storm: many,
};

const QUESTIONS: Record<Question['kind'], Question> = {
  'host-key': {
    kind: 'host-key',
    host: '88.88.88.88',
    keyType: 'ssh-ed25519',
    fingerprint: 'SHA256:uNiVztksCsDhcc0u9e8BrQqVxJ4gYb1mT7EoOf3sQmA',
  },
  passphrase: { kind: 'passphrase', key: '~/.ssh/id_ed25519', again: false },
  password: { kind: 'password', login: 'dockercr@88.88.88.88', again: false },
  challenge: {
    kind: 'challenge',
    login: 'dockercr@88.88.88.88',
    instructions: '',
    prompt: 'Verification code:',
    isShown: false,
    again: false,
  },
  'registry-login': { kind: 'registry-login', authority: 'cr.boss.org:5000', user: null, again: false },
};

/** The backend that the page's address asks for. */
export function mock(query: URLSearchParams): Backend {
  const name = query.get('mock') ?? 'full';
  const state = (STATES[name] ?? full)();
  const asked = QUESTIONS[query.get('prompt') as Question['kind']];
  const question = asked && 'again' in asked ? { ...asked, again: query.has('again') } : asked;
  const registry = state.registries[name === 'many' ? 1 : 0]?.spec.name ?? 'cr.boss.org';
  if (question && name === 'many' && 'host' in question) question.host = `bastion.${registry}`;
  if (question && name === 'many' && 'login' in question)
    question.login = `a-user-with-a-long-name@bastion.${registry}`;
  if (question && name === 'many' && 'authority' in question) question.authority = `${registry}:5000`;
  if (question) state.prompts = [{ id: 1, registry, question, canKeep: true }];
  return new Owner(state, {
    many: name === 'many',
    broken: query.has('broken') || name === 'failing',
    moving: name === 'slow',
    ...(query.has('reading') ? { reading: Number(query.get('reading')) } : {}),
    ...(query.has('collecting') ? { collecting: Number(query.get('collecting')) } : {}),
    storm: name === 'storm',
    refuse: query.getAll('refuse'),
    setup: (query.get('setup') as SetupCase | null) ?? 'needed',
    sample: query.has('sample') ? '/tmp/sample.tar' : null,
  });
}
