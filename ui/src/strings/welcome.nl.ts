// Dutch words of the first start.

import type { en } from './welcome.en';

export const nl: typeof en = {
  welcome: {
    title: 'Welkom bij Dockline',
    steps: {
      label: 'Stappen',
      choose: 'Uw registry',
      test: 'De verbinding',
      push: 'Eerste push',
    },
    looking: 'Er wordt gekeken in ~/.ssh/config en naar uw containers…',
    proposals: 'Op deze computer gevonden',
    unnamed: 'Een registry',
    yours: 'Welke registry is van u?',
    test: 'Verbinding controleren',
    byHand: 'Toevoegen met alle opties',
    team: 'Ik heb een teambestand…',
    testing: (name: string) => `De verbinding met ${name} wordt gecontroleerd`,
    starting: 'Bezig met starten…',
    back: 'Terug',
    addAnyway: 'Toch toevoegen',
    pushTitle: (name: string) => `${name} is toegevoegd. Iets pushen?`,
    setup:
      'Voor docker push in een terminal is nog één ding nodig: deze computer moet de naam kennen. Dockline zelf kan zonder.',
    push: 'Dit zijn uw nieuwste images. Met één klik gaat er een heen.',
    noImages:
      'Hier is nog geen image. Bouw er een, dan verschijnt het onder Images, of push een archief dat docker save schreef.',
    done: 'Naar mijn registry’s',
  },
};
