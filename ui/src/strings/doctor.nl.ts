// Dutch words of the doctor.

import type { en } from './doctor.en';

export const nl: typeof en = {
  doctor: {
    title: 'Dokter',
    about:
      'Bewijst de hele weg van docker push tot de bytes op de host, schakel voor schakel, ook vanaf de kant van de engine. Het duurt een paar seconden.',
    changesNothing: 'Er wordt alleen gekeken: er verandert niets.',
    leavesBlob:
      'De test laat enkele tientallen bytes in het register achter, zonder naam, tot de garbage collection daar loopt. Verder verandert er niets.',
    emptyTitle: 'Er is nog niets te controleren',
    empty: 'De dokter controleert de verbinding met een register. Voeg er eerst een toe.',
    toRegistries: 'Naar Registers',
    registry: 'Register',
    roundTrip: 'Een paar bytes heen en terug sturen',
    start: 'Verbinding controleren',
    again: 'Opnieuw controleren',
    progress: (done: number, total: number) => `${done} van ${total} schakels werken tot nu toe`,
    copy: 'Het verslag kopiëren',
    copied: 'Het verslag is gekopieerd. Er staan hosts in, en geen geheim.',
    spokenFailed: (link: string) => `${link}: werkt niet.`,
    links: {
      name: 'De naam van het register',
      address: 'Zijn adres op deze computer',
      listener: 'Dockline luistert daar',
      'ssh-reach': 'De SSH-host antwoordt',
      'host-key': 'Zijn hostsleutel',
      login: 'De SSH-login',
      registry: 'Het register antwoordt',
      'registry-login': 'De login van het register zelf',
      engine: 'De container-engine',
      'engine-settings': 'De instellingen van de engine',
      'engine-reach': 'De engine bereikt het register',
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
