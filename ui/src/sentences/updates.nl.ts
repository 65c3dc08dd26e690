// Newer versions of Dockline: the owner’s sentences in Dutch (see sentences.ts).

import type { Pattern } from './sentences';

export const updates: readonly Pattern[] = [
  [
    'No address is set to ask for newer versions.',
    'Er is geen adres ingesteld om naar nieuwere versies te vragen.',
  ],
  [
    'Set one: dockline settings set update-url https://…',
    'Stel er een in, hieronder of met dockline settings set update-url https://…',
  ],
  [
    'No connection can be made to ask for newer versions.',
    'Er is geen verbinding te maken om naar nieuwere versies te vragen.',
  ],
  [
    '{1} does not answer when it is asked for newer versions.',
    '{1} antwoordt niet op de vraag naar nieuwere versies.',
  ],
  [
    '{1} did not say within {2} s whether there is a newer version.',
    '{1} zei niet binnen {2} s of er een nieuwere versie is.',
  ],
  [
    '{1} answers with HTTP {2} when it is asked for newer versions.',
    '{1} antwoordt met HTTP {2} op de vraag naar nieuwere versies.',
  ],
  [
    '{1} sends on to an address that is not asked for newer versions.',
    '{1} stuurt door naar een adres dat niet naar nieuwere versies wordt gevraagd.',
  ],
  [
    '{1} sends on too often when it is asked for newer versions.',
    '{1} stuurt te vaak door als het naar nieuwere versies wordt gevraagd.',
  ],
  [
    'The answer of {1} is longer than {2} KiB, and was not read.',
    'Het antwoord van {1} is langer dan {2} KiB en is niet gelezen.',
  ],
  ['The answer of {1} does not name a version.', 'Het antwoord van {1} noemt geen versie.'],
  [
    'The answer of {1} names a version that cannot be compared.',
    'Het antwoord van {1} noemt een versie die niet te vergelijken is.',
  ],
  [
    'The answer of {1} leads to a page that is not to be opened.',
    'Het antwoord van {1} leidt naar een pagina die niet geopend mag worden.',
  ],
  [
    'Tell whoever keeps that document: it has a “version” such as 1.2.0 and the “url” of a page (https), and may have “notes”.',
    'Vertel het wie dat document bijhoudt: het heeft een “version” zoals 1.2.0 en de “url” van een pagina (https), en misschien “notes”.',
  ],
  [
    'Check the network, and the address in the settings; nothing else depends on it.',
    'Controleer het netwerk, en het adres in de instellingen; verder hangt er niets van af.',
  ],
  [
    'Try again later; nothing else depends on it.',
    'Probeer het later nog eens; verder hangt er niets van af.',
  ],
  [
    'Check the address in the settings; nothing else depends on it.',
    'Controleer het adres in de instellingen; verder hangt er niets van af.',
  ],
  [
    'Only https is asked, and nothing on this machine for somebody elsewhere.',
    'Alleen https wordt gevraagd, en niets op deze computer voor iemand elders.',
  ],
  ['Set the address of the document itself.', 'Stel het adres van het document zelf in.'],
  [
    'Check that the address in the settings is that of the document, not of a page or a program.',
    'Kijk of het adres in de instellingen dat van het document is, en niet van een pagina of een programma.',
  ],
  [
    '“{1}” is no address to ask; write it as https://host/path.',
    '“{1}” is geen adres om te vragen; schrijf het als https://host/pad.',
  ],
  [
    '“{1}” must begin with https://; plain http is for this machine alone.',
    '“{1}” moet met https:// beginnen; gewoon http is alleen voor deze computer.',
  ],
  [
    'The address to ask may hold no name and no password.',
    'In het adres mogen geen naam en geen wachtwoord staan.',
  ],
  ['{1} cannot be opened in a browser.', '{1} is niet in een browser te openen.'],
  ['Copy the address and open it yourself.', 'Kopieer het adres en open het zelf.'],
  ['There is no newer version to show.', 'Er is geen nieuwere versie om te tonen.'],
];
