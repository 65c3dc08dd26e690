// Dutch words of the doctor.

import type { en } from './doctor.en';

export const nl: typeof en = {
  doctor: {
    title: 'Dokter',
    about:
      'Controleert elke schakel van docker push tot de bytes op de host, ook vanaf de kant van de engine. Het duurt een paar seconden.',
    changesNothing: 'Er wordt alleen gekeken: er verandert niets.',
    leavesBlob:
      'De test laat enkele tientallen bytes in de registry achter, zonder naam, tot de garbage collection daar loopt. Verder verandert er niets.',
    emptyTitle: 'Er is nog niets te controleren',
    empty: 'De dokter controleert de verbinding met een registry. Voeg er eerst een toe.',
    toRegistries: 'Naar Registry’s',
    registry: 'Registry',
    roundTrip: 'Een paar bytes heen en terug sturen',
    start: 'Verbinding controleren',
    again: 'Opnieuw controleren',
    progress: (done: number, total: number) => `${done} van ${total} schakels werken tot nu toe`,
    copy: 'Het verslag kopiëren',
    copied: 'Het verslag is gekopieerd. Er staan hosts in, en geen geheim.',
    spokenFailed: (link: string) => `${link}: werkt niet.`,
    links: {
      name: 'De naam van de registry',
      address: 'Zijn adres op deze computer',
      listener: 'Dockline luistert daar',
      'ssh-reach': 'De SSH-host antwoordt',
      'host-key': 'Zijn hostsleutel',
      login: 'De SSH-login',
      registry: 'De registry antwoordt',
      'registry-login': 'De login van de registry zelf',
      engine: 'De container-engine',
      'engine-settings': 'De instellingen van de engine',
      'engine-reach': 'De engine bereikt de registry',
      'round-trip': 'Een paar bytes heen en terug',
    },
    states: {
      waiting: 'wacht',
      running: 'wordt gecontroleerd',
      passed: 'werkt',
      failed: 'werkt niet',
      skipped: 'niet gecontroleerd',
    },
  },
};
