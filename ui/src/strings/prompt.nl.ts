// Dutch words of what is asked on the way.

import type { en } from './prompt.en';

export const nl: typeof en = {
  prompt: {
    hostKeyTitle: (host: string) => `Is dit echt ${host}?`,
    hostKeyBody:
      'U hebt nog niet eerder verbinding gemaakt met deze host. Vergelijk de vingerafdruk met wat de opdracht hieronder op de host zelf toont. Verschillen ze, verbind dan niet: misschien zit er iemand tussen.',
    keyType: 'Soort sleutel',
    fingerprint: 'Vingerafdruk',
    hostKeyHow: 'Op de host zelf toont dit hem:',
    hostKeyCommand: (type: string) =>
      `ssh-keygen -lf /etc/ssh/ssh_host_${type.replace(/^ssh-/, '').replace(/^ecdsa-.*/, 'ecdsa')}_key.pub`,
    trust: 'Ja; onthoud deze sleutel',
    refuseKey: 'Niet verbinden',
    passphraseTitle: 'Uw sleutel zit op slot',
    passphraseBody: (key: string) => `De wachtwoordzin van ${key} ontgrendelt hem.`,
    passphrase: 'Wachtwoordzin',
    passwordTitle: (login: string) => `Wachtwoord voor ${login}`,
    passwordBody: 'Geen van uw sleutels werd geaccepteerd; daarom vraagt de host een wachtwoord.',
    password: 'Wachtwoord',
    challengeTitle: (login: string) => `${login} vraagt u iets`,
    challengeBody: 'Uw antwoord gaat één keer naar deze host, en wordt niet bewaard.',
    challenge: 'Antwoord',
    again: 'Dat was het niet. Probeer het nog eens.',
    remember: 'Bewaren in de sleutelbos van het systeem',
    submit: 'Verder',
    refuse: 'Annuleren',
    forRegistry: (name: string) => `Voor ${name}`,
  },
};
