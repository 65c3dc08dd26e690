// Dutch words of the window as a whole: its frame, what stands everywhere, the palette and the keys.

import type { en } from './window.en';
import { plural, whole } from './plural';

export const nl: typeof en = {
  app: 'Dockline',
  nav: {
    label: 'Onderdelen',
    registries: 'Registry’s',
    images: 'Images',
    transfers: 'Overdrachten',
    doctor: 'Dokter',
    settings: 'Instellingen',
    running: 'bezig',
  },
  more: (n: number) => `Meer tonen (nog ${whole(n)})`,
  others: (n: number) => `nog ${whole(n)}`,
  failedBecause: (names: string, n: number, why: string) =>
    `${names} ${n === 1 ? 'is' : 'zijn'} mislukt: ${why}`,
  refused: (names: string, n: number) => `${names} ${n === 1 ? 'is' : 'zijn'} geweigerd.`,
  refusedToo: (names: string, n: number) => `${names} ${n === 1 ? 'is' : 'zijn'} ook geweigerd.`,
  moreThere: 'Meer tonen',
  close: 'Sluiten',
  cancel: 'Annuleren',
  copy: 'Kopiëren',
  copied: 'Gekopieerd',
  copyFailed: 'Het klembord is niet beschikbaar; selecteer de tekst en kopieer die zelf.',
  failed: 'Er ging iets mis.',
  notice: 'Mededeling',
  details: 'Details',
  engineWords: 'In de woorden van de engine zelf',
  loading: 'De tunnels worden opgezocht…',
  broken: {
    title: 'De kern van Dockline antwoordt niet',
    retry: 'Opnieuw proberen',
  },
  configError: (path: string) =>
    `De configuratie in ${path} is niet te lezen. De laatste goede blijft van kracht.`,

  time: {
    seconds: (n: number) => `${n} s`,
    minutes: (n: number) => `${n} min`,
    hours: (h: number, m: number) => (m > 0 ? `${h} u ${m} min` : `${h} u`),
    days: (n: number) => plural(n, 'dag', 'dagen'),
    underASecond: 'nog geen seconde',
    left: (duration: string) => `nog ongeveer ${duration}`,
    fewSecondsLeft: 'nog een paar seconden',
    justNow: 'zojuist',
  },

  footer: {
    engineUnknown: 'Docker of Podman wordt gezocht…',
    engineUnavailable: 'Geen container-engine',
    running: (n: number) => plural(n, 'overdracht', 'overdrachten'),
    config: 'Configuratie',
  },

  palette: {
    title: 'Een opdracht zoeken',
    placeholder: 'Wat wilt u doen?',
    open: (view: string) => `Naar ${view}`,
    none: (query: string) => `Niets hier heet “${query}”.`,
    count: (n: number) => plural(n, 'regel', 'regels'),
    groups: { go: 'Ga naar', do: 'Acties', registries: 'Registry’s', images: 'Images', look: 'Uiterlijk' },
  },
  shortcuts: {
    title: 'Sneltoetsen',
    control: 'Ctrl+',
    shift: 'Shift+',
    delete: 'Del',
    onRegistry: (what: string) => `Op een registry: ${what}`,
    onImage: (what: string) => `Op een image: ${what}`,
    paste: 'Ophalen wat u kopieerde',
    close: 'Een venster sluiten',
  },
  remedy: {
    edit: 'Registry bewerken…',
    login: 'Inloggen bij de registry…',
    contents: 'Bekijken wat erin staat',
    check: 'Verbinding controleren',
    connect: 'Verbinden, en de vraag beantwoorden',
    settings: 'Naar de instellingen',
  },

  list: (items: string[]) => new Intl.ListFormat('nl', { type: 'conjunction' }).format(items),
};
