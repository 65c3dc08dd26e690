// The doctor, and the first start: the owner’s sentences in Dutch (see sentences.ts).

import type { Pattern } from './sentences';

export const doctor: readonly Pattern[] = [
  [
    'The name is made known to this machine when the registry is set up.',
    'De naam wordt op deze computer bekend gemaakt als de registry wordt ingesteld.',
  ],
  ['{1} leads to {2} on this machine.', '{1} leidt op deze computer naar {2}.'],
  ['This machine takes {1} for {2}, and not for {3}.', 'Deze computer houdt {1} voor {2}, en niet voor {3}.'],
  [
    'This machine does not know the name {1}, so programs cannot use it.',
    "Deze computer kent de naam {1} niet, dus programma's kunnen hem niet gebruiken.",
  ],
  [
    'Let Dockline put the name into the hosts file: dockline setup',
    'Laat Dockline de naam in het hosts-bestand zetten.',
  ],
  ["{1} is this machine's.", '{1} is van deze computer.'],
  ['{1} cannot be used on this machine: {2}.', '{1} is op deze computer niet te gebruiken: {2}.'],
  [
    'This machine has 127.0.0.1 only. Give {1} that address and a port of its own, such as {2}.',
    'Deze computer heeft alleen 127.0.0.1. Geef {1} dat adres en een eigen poort, zoals {2}.',
  ],
  [
    'Give the registry another address of 127.0.0.0/8, or none, so that one is picked.',
    'Geef de registry een ander adres uit 127.0.0.0/8, of geen, zodat er een wordt gekozen.',
  ],
  ['Dockline listens at {1}.', 'Dockline luistert op {1}.'],
  ['The registry answers as {1}, and wants a login.', 'De registry antwoordt als {1}, en wil dat u inlogt.'],
  ['The registry answers as {1}.', 'De registry antwoordt als {1}.'],
  [
    'The registry wants no login, or took the one there is.',
    'Bij de registry is inloggen niet nodig, of hij accepteerde de login die er is.',
  ],
  [
    'The registry wants a login, and this machine has none that it accepts.',
    'De registry wil dat u inlogt, en deze computer heeft geen login die hij accepteert.',
  ],
  ['Log in: dockline login {1}', 'Log in bij {1}.'],
  [
    'There is no engine to ask; archives can be pushed without one.',
    'Er is geen engine om het te vragen; archieven kunnen zonder worden gepusht.',
  ],
  [
    '{1} asked for {2} by itself, and the registry answered, and wants a login.',
    '{1} vroeg zelf om {2}; de registry antwoordde, en wil dat u inlogt.',
  ],
  [
    '{1} asked for {2} by itself, and the registry answered.',
    '{1} vroeg zelf om {2}, en de registry antwoordde.',
  ],
  [
    'The registry is not reached from here, so the engine was not asked.',
    'De registry is vanaf hier niet te bereiken; daarom is de engine niet gevraagd.',
  ],
  [
    "The engine runs on another machine, where this machine's tunnels do not reach.",
    'De engine draait op een andere machine, waar de tunnels van deze computer niet komen.',
  ],
  [
    'The engine was not asked: it does not answer here.',
    'De engine is niet gevraagd: hij antwoordt hier niet.',
  ],
  ['The engine was not asked.', 'De engine is niet gevraagd.'],
  [
    'The engine is set up when the registry is configured.',
    'De engine wordt ingesteld als de registry er is.',
  ],
  ['{1} has all the settings that it needs.', '{1} heeft alle instellingen die nodig zijn.'],
  [
    "{1} needs no settings, only the registry's name.",
    '{1} heeft geen instellingen nodig, alleen de naam van de registry.',
  ],
  ['{1} cannot push there yet: {2!}', '{1} kan daar nog niet naartoe pushen: {2!}'],
  [
    'Look at what would change, and let Dockline change it: dockline setup',
    'Bekijk wat er zou veranderen, en laat Dockline het doen.',
  ],
  ['Nobody asked for it.', 'Niemand vroeg erom.'],
  [
    "{1} bytes went to {2}, came back and are the same. No tag leads to them, so the registry's garbage collection removes them.",
    '{1} bytes gingen naar {2}, kwamen terug en zijn dezelfde. Geen tag leidt ernaartoe, dus de garbage collection van de registry ruimt ze op.',
  ],
  ['Other bytes came back.', 'Er kwamen andere bytes terug.'],
  ['The way breaks before it.', 'De weg breekt ervoor al.'],
  ['It is reached without a tunnel.', 'De registry wordt zonder tunnel bereikt.'],
  [
    "Without a tunnel, the engine needs no settings of Dockline's.",
    'Zonder tunnel heeft de engine geen instellingen van Dockline nodig.',
  ],
  ['The test blob could not be kept: {1}.', 'De testblob kon niet worden bewaard: {1}.'],
  ['Make docker push work here…', 'docker push hier laten werken…'],
  ['Connect, and answer its question', 'Verbinden, en de vraag beantwoorden'],
  ['Whoever looks after {1} can tell more.', 'Wie {1} beheert, kan meer zeggen.'],
  ['The connection to {1} works, every link of it.', 'De verbinding met {1} werkt, elke schakel.'],
  [
    'The registry {1} is reached and Dockline can push to it; docker push in a terminal cannot yet.',
    'De registry {1} is te bereiken en Dockline kan erheen pushen; docker push in een terminal nog niet.',
  ],
  [
    'The connection to {1} breaks at this link: {2!}.',
    'De verbinding met {1} breekt bij deze schakel: {2!}.',
  ],
  ['{1} answers ({2}).', '{1} antwoordt ({2}).'],
  ['{1} shows the host key that it should.', '{1} toont de hostsleutel die hij hoort te tonen.'],
  ['The login at {1} works.', 'De login bij {1} werkt.'],
  ['{1} examinations are under way already.', 'Er lopen al {1} onderzoeken.'],
  ['Wait for one of them to end, or stop one.', 'Wacht tot er een klaar is, of stop er een.'],
  ['That examination has been forgotten already.', 'Dat onderzoek is al vergeten.'],
  ['{1} is a host of your SSH configuration.', '{1} is een host in uw SSH-configuratie.'],
  [
    '{1} is a host of your SSH configuration, and its name speaks of images.',
    '{1} is een host in uw SSH-configuratie, en zijn naam doet aan images denken.',
  ],
  ["Docker's context “{1}” leads to {2} already.", 'De Docker-context “{1}” leidt al naar {2}.'],
  ['The image {1} is named for {2}.', 'Het image {1} is naar {2} genoemd.'],
  [
    'The container {1} on this machine is a registry; Dockline can offer it to a host.',
    'De container {1} op deze computer is een registry; Dockline kan hem aan een host aanbieden.',
  ],
  ['{1} answers.', '{1} antwoordt.'],
  [
    'Let Dockline put the name into the hosts file: dockline hosts',
    'Laat Dockline de naam in het hosts-bestand zetten, in een terminal: dockline hosts',
  ],
];
