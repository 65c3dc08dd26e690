// Parts of the owner’s sentences in Dutch, which mean nothing by themselves (see sentences.ts).

import type { Pattern } from './sentences';

export const phrases: readonly Pattern[] = [
  ['{1} and {2}', '{1} en {2}'],
  ['{1} files', '{1} bestanden'],
  ['all of it is new', 'alles is nieuw'],
  ['{1} of {2} layers are new', '{1} van de {2} lagen zijn nieuw'],
  ['packed with gzip {1}', 'ingepakt met gzip {1}'],
  ['packed with zstd {1}', 'ingepakt met zstd {1}'],
  ['not packed', 'niet ingepakt'],
  ['{1!}, since {2!}', '{1!}, want {2!}'],
  ['the line has carried {1} Mbit/s', 'de lijn haalde {1} Mbit/s'],
  ['an answer takes {1} ms, as on a long line', 'een antwoord duurt {1} ms, zoals op een lange lijn'],
  ['the line is fast', 'de lijn is snel'],
  ["the registry's name", 'de naam van het register'],
  ['its address on this machine', 'zijn adres op deze computer'],
  ['Dockline listens there', 'Dockline luistert daar'],
  ['the SSH host answers', 'de SSH-host antwoordt'],
  ['its host key', 'zijn hostsleutel'],
  ['the SSH login', 'de SSH-login'],
  ['the registry answers', 'het register antwoordt'],
  ["the registry's own login", 'de login van het register zelf'],
  ['the container engine', 'de container-engine'],
  ["the engine's settings", 'de instellingen van de engine'],
  ['the engine reaches the registry', 'de engine bereikt het register'],
  ['a test blob there and back', 'een testblob heen en terug'],
];
