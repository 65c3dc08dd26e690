// Dutch words of what is in a registry, and what is removed from it.

import type { en } from './contents.en';
import { plural, whole } from './plural';

const garbage = (blobs: number, manifests: number) =>
  [
    ...(blobs > 0 || manifests === 0
      ? [`${plural(blobs, 'laag of ander deel', 'lagen en andere delen')} van images`]
      : []),
    ...(manifests > 0 ? [plural(manifests, 'image zonder tag', 'images zonder tag')] : []),
  ].join(' en ');

export const nl: typeof en = {
  contents: {
    path: 'Waar u bent',
    refresh: 'Nog eens kijken',
    loading: 'De registry wordt gevraagd…',
    repositories: 'Repository’s',
    repositoryCount: (n: number) => plural(n, 'repository', 'repository’s'),
    tags: 'Tags',
    filterRepositories: 'Een repository zoeken',
    filterTags: 'Een tag zoeken',
    noRepositories: {
      title: 'Deze registry is leeg',
      text: 'Wat u pusht verschijnt hier.',
    },
    noTags: { title: 'Hier zijn geen tags', text: 'Alle images van deze repository zijn verwijderd.' },
    kind: 'Soort',
    kinds: {
      image: 'Image',
      index: 'Images voor verschillende platforms',
      artifact: 'Artefact',
    },
    platforms: 'Platforms',
    noPlatform: 'geen platform genoemd',
    missing: 'niet in deze registry',
    referrers: 'Handtekeningen en attestations',
    pullCommand: 'Om het op te halen',
    copyCommand: 'De opdracht kopiëren',
    save: 'Opslaan als bestand…',
    delete: 'Verwijderen…',
    config: {
      title: 'Hoe het draait',
      entrypoint: 'Entrypoint',
      command: 'Opdracht',
      ports: 'Poorten',
      user: 'Gebruiker',
      folder: 'Map',
    },
    usage: {
      title: 'Schijfgebruik',
      about:
        'Telt op waar alle tags naartoe leiden. Daarvoor wordt elk manifest gelezen; in een grote registry duurt dat even.',
      measure: 'Meten',
      again: 'Nog eens meten',
      begins: 'De repository’s worden gelezen…',
      progress: (done: number, total: number) =>
        `${whole(done)} van ${plural(total, 'repository', 'repository’s')}`,
      total: (size: string) => `${size} in totaal; wat gedeeld wordt, is één keer geteld.`,
      tags: (n: number) => plural(n, 'tag', 'tags'),
      legend: 'De volle kleur is van de repository zelf; de bleke deelt ze met andere.',
      collect:
        'Verwijderen maakt op zichzelf niets vrij: dat doet de garbage collection van de registry, op de host, terwijl niemand pusht.',
    },
  },
  collect: {
    open: 'Afval opruimen…',
    title: (name: string) => `Het afval van ${name} opruimen`,
    about:
      'Waar geen tag meer heen leidt, houdt zijn ruimte tot het eigen programma van de registry het weghaalt, op zijn host.',
    planning: 'Op de host wordt gevraagd wat er zou worden verwijderd…',
    container: (name: string, engine: string) => `De registry draait in de container ${name} (${engine}).`,
    unit: (name: string) => `De registry draait als ${name}.`,
    would: (blobs: number, manifests: number, size: string | null) =>
      `Er zou worden verwijderd: ${garbage(blobs, manifests)}${size === null ? '' : ` (${size})`}.`,
    nothing: 'Er valt niets te verwijderen.',
    untagged: 'Ook images die geen tag noemt',
    untaggedHelp: 'Ze zijn dan voorgoed weg, ook voor wie ze bij hun digest ophaalt.',
    login: 'Op de host inloggen als',
    loginHelp: 'Als iemand die daar programma’s mag uitvoeren. Anders wordt de login van de tunnel gebruikt.',
    look: 'Kijken wat er zou worden verwijderd',
    accept: 'Registry stoppen en opruimen',
    busy: 'De registry is gestopt en zijn afval wordt opgeruimd…',
    freed: (size: string | null) => (size === null ? 'Het afval is weg.' : `${size} is weer vrij.`),
    went: (blobs: number, manifests: number) => `Verwijderd: ${garbage(blobs, manifests)}.`,
    stopped: (time: string) => `De registry stond ${time} stil.`,
  },
  delete: {
    title: (name: string) => `${name} verwijderen?`,
    planning: 'Er wordt gekeken wat er mee zou worden verwijderd…',
    one: (digest: string) => `Het image ${digest} wordt verwijderd, en deze tag ermee.`,
    tags: (tags: string, digest: string) =>
      `Het image ${digest} wordt verwijderd, met elke tag die het noemt: ${tags}.`,
    unused: (size: string) =>
      `${size} wordt hier door niets anders gebruikt. De schijf krijgt het terug als de registry zijn afval opruimt.`,
    shared: (size: string) => `${size} blijft, want andere tags gebruiken het.`,
    accept: 'Verwijderen',
    done: (name: string) => `${name} is verwijderd.`,
  },
};
