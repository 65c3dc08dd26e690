// Why something failed: clauses of the owner’s in Dutch, which stand in a sentence or, with a capital, alone
// (see sentences.ts). Here: the way to the host, registries, archives, engines.

import type { Pattern } from './sentences';

export const reasons: readonly Pattern[] = [
  // The operating system’s own words.
  ['No such file or directory (os error {1})', 'dat bestand of die map bestaat niet (os error {1})'],
  ['Permission denied (os error {1})', 'geen toestemming (os error {1})'],
  ['Operation not permitted (os error {1})', 'dat mag niet (os error {1})'],
  ['No space left on device (os error {1})', 'de schijf is vol (os error {1})'],
  ['Disk quota exceeded (os error {1})', 'de ruimte van deze gebruiker is op (os error {1})'],
  ['Read-only file system (os error {1})', 'het bestandssysteem is alleen te lezen (os error {1})'],
  ['Input/output error (os error {1})', 'de schijf geeft een fout (os error {1})'],
  ['Is a directory (os error {1})', 'het is een map (os error {1})'],
  ['Not a directory (os error {1})', 'een deel van het pad is geen map (os error {1})'],
  ['File exists (os error {1})', 'het bestaat al (os error {1})'],
  ['Too many open files (os error {1})', 'er staan te veel bestanden open (os error {1})'],
  ['Connection refused (os error {1})', 'de verbinding werd geweigerd (os error {1})'],
  ['Connection reset by peer (os error {1})', 'de andere kant brak de verbinding af (os error {1})'],
  ['Connection timed out (os error {1})', 'er kwam geen antwoord op tijd (os error {1})'],
  ['Broken pipe (os error {1})', 'de verbinding is gebroken (os error {1})'],
  ['Network is unreachable (os error {1})', 'het netwerk is niet te bereiken (os error {1})'],
  ['No route to host (os error {1})', 'er is geen route naar de host (os error {1})'],
  ['Address already in use (os error {1})', 'het adres is bezet (os error {1})'],
  ['Cannot assign requested address (os error {1})', 'dat adres is hier niet te gebruiken (os error {1})'],

  // The way to the host.
  ['the connection was refused', 'de verbinding werd geweigerd'],
  ['there is no route to it', 'er is geen route naartoe'],
  ['the connection was closed', 'de verbinding werd gesloten'],
  ['the session ended', 'de sessie eindigde'],
  ['the server stopped answering', 'de server antwoordde niet meer'],
  ['the server closed the connection', 'de server sloot de verbinding'],
  ['the server said “{1}”', 'de server zei “{1}”'],
  ["this machine's network address has changed", 'het netwerkadres van deze computer is veranderd'],
  ['it was closed', 'het werd gesloten'],
  ['it does not exist', 'het bestaat niet'],
  ['it did not begin to run a program within {1} s', 'hij begon binnen {1} s geen programma'],
  ['it did not say within {1} s whether it listens', 'hij zei binnen {1} s niet of hij luistert'],
  ['ssh -G failed', 'ssh -G mislukte'],
  ['ssh -G took longer than {1} s', 'ssh -G duurde langer dan {1} s'],
  [
    'a host, user or jump host is empty, begins with “-” or has characters in it that SSH does not allow there',
    'een host, gebruiker of tussenhost is leeg, begint met “-” of bevat tekens die SSH daar niet toestaat',
  ],
  ['the path “{1}” is not absolute', 'het pad “{1}” is niet volledig'],
  [
    'the path “{1}” may be several, of which one is not absolute',
    'het pad “{1}” kan uit meerdere paden bestaan, waarvan er een niet volledig is',
  ],
  ['jump hosts lead to each other in a circle', 'tussenhosts leiden in een kring naar elkaar'],
  ['it is not user@host:port', 'het is niet gebruiker@host:poort'],
  [
    "the host's or user's name has characters in it that a ProxyCommand may not see",
    'de naam van de host of gebruiker bevat tekens die een ProxyCommand niet mag zien',
  ],
  ["it is not a host's certificate", 'het is geen certificaat van een host'],
  ['its time has not come yet', 'het geldt nog niet'],
  ['it has expired', 'het is verlopen'],
  [
    'it is of X.509 version 1, and TLS libraries take version 3',
    'het is van X.509 versie 1, en TLS-bibliotheken accepteren versie 3',
  ],
  ["the key is another certificate's", 'de sleutel is die van een ander certificaat'],
  ['it is for {1}, not for {2}', 'het is voor {1}, niet voor {2}'],
  [
    'it has conditions that Dockline does not know ({1})',
    'het heeft voorwaarden die Dockline niet kent ({1})',
  ],
  ['it is signed with {1}, which is not allowed', 'het is getekend met {1}, en dat mag niet'],
  ['its signature is wrong', 'de handtekening klopt niet'],
  ['line {1} of it is not a key', 'regel {1} ervan is geen sleutel'],
  ['it is a damaged key revocation list', 'het is een beschadigde lijst met ingetrokken sleutels'],
  [
    'it is a key revocation list with a part of kind {1}, which Dockline cannot read',
    'het is een lijst met ingetrokken sleutels met een deel van soort {1}, dat Dockline niet kan lezen',
  ],
  [
    'it is a key revocation list of version {1}, which Dockline cannot read',
    'het is een lijst met ingetrokken sleutels van versie {1}, die Dockline niet kan lezen',
  ],
  ['it is not a private key', 'het is geen privésleutel'],
  [
    'it is not a private key of a kind that Dockline knows',
    'het is geen privésleutel van een soort die Dockline kent',
  ],
  [
    'other users may read it; `chmod 600 {1}` fixes that',
    'andere gebruikers mogen het lezen; `chmod 600 {1}` verhelpt dat',
  ],
  ['the agent did not sign', 'de agent tekende niet'],
  ['the key cannot sign', 'de sleutel kan niet tekenen'],
  ['nothing better than SHA-1 was agreed on', 'iets beters dan SHA-1 was niet af te spreken'],
  ['no answer within {1} s', 'geen antwoord binnen {1} s'],
  ['it closed the connection without an answer', 'hij sloot de verbinding zonder antwoord'],
  ['it answered with HTTP status {1}', 'hij antwoordde met HTTP-status {1}'],
  ['what answers there does not speak HTTP', 'wat daar antwoordt, spreekt geen HTTP'],
  ['what {1} answered cannot be read', 'wat {1} antwoordde, is niet te lezen'],
  [
    'this system cannot be asked whose a connection is',
    'aan dit systeem is niet te vragen van wie een verbinding is',
  ],

  // Registries.
  [
    'no authority that this machine trusts has signed it',
    'geen autoriteit die deze computer vertrouwt, tekende het',
  ],
  ['it is not valid yet', 'het geldt nog niet'],
  ['it was made for another name', 'het is voor een andere naam gemaakt'],
  [
    'it does not speak TLS, which is expected of it',
    'hij spreekt geen TLS, en dat wordt wel van hem verwacht',
  ],
  ['it sends web pages', 'hij stuurt webpagina’s'],
  ['it has more of a layer than there is', 'hij heeft meer van een laag dan er is'],
  ['it completed an upload that had only begun', 'hij sloot een upload af die pas begonnen was'],
  [
    'it sent another part of a layer than it was asked for',
    'hij zond een ander deel van een laag dan gevraagd was',
  ],
  ['it began an upload without saying where', 'hij begon een upload zonder te zeggen waar'],
  ['its list does not read: {1}', 'zijn lijst is niet te lezen: {1}'],
  [
    'its list for {1} goes on after {2} pages; it, or a proxy before it, leads in circles',
    'zijn lijst voor {1} gaat na {2} pagina’s nog door; de registry, of een proxy ervoor, leidt in een kring rond',
  ],
  [
    '{1} brings more manifests along than any real image does; take one platform of it, without what refers to it',
    '{1} brengt meer manifesten mee dan enig echt image; neem er één platform van, zonder wat ernaar verwijst',
  ],
  ['its list of referrers does not read: {1}', 'zijn lijst van verwijzers is niet te lezen: {1}'],
  ["the image's configuration does not read: {1}", 'de configuratie van het image is niet te lezen: {1}'],
  ['the manifest of {1} does not read: {2}', 'het manifest van {1} is niet te lezen: {2}'],
  ['the manifest {1} does not read: {2}', 'het manifest {1} is niet te lezen: {2}'],
  ['the manifest {1} of {2} does not read: {3}', 'het manifest {1} van {2} is niet te lezen: {3}'],
  ['the index of {1} does not read: {2}', 'de index van {1} is niet te lezen: {2}'],
  ['the indexes of {1} do not end', 'de indexen van {1} houden niet op'],
  ['an image without a manifest', 'een image zonder manifest'],
  ['an answer that cannot be read twice', 'een antwoord dat niet twee keer te lezen is'],
  [
    'an answer of more than {1} bytes where a short one belongs',
    'een antwoord van meer dan {1} bytes waar een kort hoort',
  ],
  ['{1} is longer than the manifest says', '{1} is langer dan het manifest zegt'],
  ['{1} ends after {2} of {3} bytes', '{1} eindigt na {2} van {3} bytes'],
  ['{1} does not fit an archive: {2}', '{1} past niet in een archief: {2}'],
  ['the layer could not be written: {1}', 'de laag kon niet worden geschreven: {1}'],
  ['a layer was neither found nor sent', 'een laag werd niet gevonden en niet verzonden'],
  ['the push was stopped', 'de push werd gestopt'],
  ['a stream is read once', 'een stroom wordt één keer gelezen'],
  ['the token server {1} did not take the login', 'de tokenserver {1} nam de login niet aan'],
  [
    'the token server {1} did not take the identity token: it has ended or was taken back',
    'de tokenserver {1} nam het identiteitstoken niet aan: het is verlopen of ingetrokken',
  ],
  [
    'it has taken a layer before all of it was sent',
    'hij heeft een laag aangenomen voordat alles ervan was verzonden',
  ],
  [
    "{1} is a schema 1 manifest, Docker's image format until 2016, which Dockline does not carry",
    '{1} is een manifest van schema 1, Dockers formaat tot 2016, dat Dockline niet vervoert',
  ],
  ['“{1}” as the place where its tokens come from', '“{1}” als de plaats waar zijn tokens vandaan komen'],
  ['the answer of its token server does not read', 'het antwoord van zijn tokenserver is niet te lezen'],
  ['the answer of its token server holds no token', 'in het antwoord van zijn tokenserver zit geen token'],
  ['“{1}” cannot stand in a Host header', '“{1}” kan niet in een Host-header staan'],
  ['the HTTP client could not be set up', 'de HTTP-client kon niet worden gemaakt'],
  [
    'a part of Dockline that reads archives ended by itself',
    'een deel van Dockline dat archieven leest, stopte vanzelf',
  ],
  ['HTTP {1} for /v2/', 'HTTP {1} op /v2/'],

  // Archives.
  ['the file ends in the middle of a layer', 'het bestand eindigt midden in een laag'],
  ['{1} is cut off', '{1} is afgekapt'],
  [
    "manifest.json names {1} layers and the image's configuration {2}",
    'manifest.json noemt {1} lagen en de configuratie van het image {2}',
  ],
  [
    'the manifest names {1} layers and the configuration {2}',
    'het manifest noemt {1} lagen en de configuratie {2}',
  ],
  [
    '{1} is compressed with {2}, which no engine unpacks',
    '{1} is gecomprimeerd met {2}, wat geen engine uitpakt',
  ],
  ['its indexes do not end', 'zijn indexen houden niet op'],
  ['an attestation', 'een attestation'],
  ['{1} is listed as an image and is {2}', '{1} staat als image in de lijst en is {2}'],
  ['{1} is {2}, and is listed as {3}', '{1} is {2}, en staat in de lijst als {3}'],
  ['{1} does not read: {2}', '{1} is niet te lezen: {2}'],
  ['{1} ought to have {2} bytes and has {3}', '{1} hoort {2} bytes te hebben en heeft er {3}'],
  [
    "the archive's {1} is {2} bytes long; no real one is",
    '{1} in het archief is {2} bytes lang; geen echt is zo lang',
  ],
  [
    "the archive's {1} is a schema 1 manifest, which Docker has not written since 2016 and registries refuse",
    '{1} in het archief is een manifest van schema 1, dat Docker sinds 2016 niet meer schrijft en registry’s weigeren',
  ],

  // Engines.
  ['Dockline does not speak TLS to an engine', 'Dockline spreekt geen TLS met een engine'],
  [
    'it needs a host and a port, as in tcp://127.0.0.1:2375',
    'er moeten een host en een poort in staan, zoals tcp://127.0.0.1:2375',
  ],
  [
    "that engine runs on another machine, where this machine's tunnels do not reach",
    'die engine draait op een andere machine, waar de tunnels van deze computer niet komen',
  ],
  ['it must begin with unix://, npipe:// or tcp://', 'het moet met unix://, npipe:// of tcp:// beginnen'],
  ['named pipes exist on Windows only', 'named pipes bestaan alleen op Windows'],
  ['Docker for Windows has no Unix socket', 'Docker voor Windows heeft geen Unix-socket'],

  // Credential helpers, programs.
  ['has no name that a program could have', 'heeft geen naam die een programma kan hebben'],
  ['cannot be started: {1}', 'is niet te starten: {1}'],
  ['has not answered for {1} seconds', 'antwoordde {1} seconden lang niet'],
  ['cannot be heard: {1}', 'is niet te verstaan: {1}'],
  ['failed ({1})', 'mislukte ({1})'],
  ['answered something that does not read', 'antwoordde iets dat niet te lezen is'],
  ['line {1}, column {2}', 'regel {1}, kolom {2}'],
  // The store of Docker's own layers.
  [
    "the layers of {1} cannot be read from the engine's store",
    'de lagen van {1} zijn niet te lezen uit de opslag van de engine',
  ],
  ["the name of a layer's folder", 'de naam van de map van een laag'],
  [
    "a layer of which the engine's store knows nothing",
    'een laag waarvan de opslag van de engine niets weet',
  ],
  [
    "the engine's store has no such file as the layer had: {1}",
    'de opslag van de engine heeft een bestand van de laag niet: {1}',
  ],
  ['a file without a name', 'een bestand zonder naam'],
  ['an entry of the unknown type {1}', 'een onderdeel van de onbekende soort {1}'],
  [
    'it has spoken TLS before and does not now; if that is meant, quit Dockline and start it again',
    'hij sprak eerder TLS en nu niet meer; is dat de bedoeling, sluit Dockline dan af en start het opnieuw',
  ],
  ['{1!}; all of it is in {2}', '{1!}; alles staat in {2}'],
  ['{1} would be too full for anything else', '{1} zou te vol worden voor iets anders'],
  [
    'the link /var/snap/docker/current does not lead to the folder of one revision of the snap',
    'de koppeling /var/snap/docker/current leidt niet naar de map van één revisie van de snap',
  ],
  [
    "colima has not made it, and one with nothing but Dockline's entries would take the place of its settings",
    'colima heeft het niet gemaakt, en een bestand met alleen de regels van Dockline zou de plaats van zijn instellingen innemen',
  ],
  ['it is no file any more', 'het is geen bestand meer'],
];
