// What is wrong with what a person wrote or with a file of settings: clauses of the owner’s in Dutch, which stand in a
// sentence or, with a capital, alone (see sentences.ts).

import type { Pattern } from './sentences';

export const flaws: readonly Pattern[] = [
  // Names and addresses.
  ['a registry needs a name, such as cr.boss.org', 'een registry heeft een naam nodig, zoals cr.boss.org'],
  [
    '“{1}” is too long for a host name: 63 characters between dots, 253 in all',
    '“{1}” is te lang voor een hostnaam: 63 tekens tussen punten, 253 in totaal',
  ],
  [
    '“{1}” is not a host name: use letters, digits and hyphens between dots, as in cr.boss.org',
    '“{1}” is geen hostnaam: gebruik letters, cijfers en koppeltekens tussen punten, zoals cr.boss.org',
  ],
  [
    '“{1}” needs a dot in it, as in cr.boss.org: Docker takes a name without one for a Docker Hub user',
    'in “{1}” moet een punt, zoals cr.boss.org: een naam zonder punt houdt Docker voor een gebruiker van Docker Hub',
  ],
  [
    '“{1}” already means something else on every machine; choose a name of your own, such as cr.boss.org',
    '“{1}” betekent op elke computer al iets anders; kies een eigen naam, zoals cr.boss.org',
  ],
  [
    '“{1}” is not an address and a port; write it as 127.0.0.1:5000',
    '“{1}” is geen adres met een poort; schrijf het als 127.0.0.1:5000',
  ],
  [
    '“{1}” is not an SSH destination; write it as user@host, host, or user@host:2222',
    '“{1}” is geen SSH-bestemming; schrijf het als gebruiker@host, host of gebruiker@host:2222',
  ],
  [
    "“{1}” is not a registry's address; write it as https://nexus.boss.org:8443",
    '“{1}” is geen adres van een registry; schrijf het als https://nexus.boss.org:8443',
  ],
  [
    '“{1}” would send passwords unencrypted; only https:// goes over a network without a tunnel',
    '“{1}” zou wachtwoorden onversleuteld sturen; zonder tunnel gaat alleen https:// over een netwerk',
  ],
  [
    '“{1}” is neither host:port (127.0.0.1:5000) nor the path of a UNIX socket (/run/registry.sock)',
    '“{1}” is geen host:poort (127.0.0.1:5000) en geen pad van een UNIX-socket (/run/registry.sock)',
  ],
  [
    '“{1}” is not a rate; write it as 500k, 2M or 1.5 MB/s (10k at least)',
    '“{1}” is geen snelheid; schrijf die als 500k, 2M of 1.5 MB/s (minstens 10k)',
  ],
  [
    'no loopback address is left for another registry',
    'er is geen loopback-adres over voor nog een registry',
  ],
  [
    '“{1}” is not HOST:PORT, such as cr.boss.org:5000 or 172.17.0.1:5000',
    '“{1}” is geen HOST:POORT, zoals cr.boss.org:5000 of 172.17.0.1:5000',
  ],
  [
    '“{1}” is not a SHA-256 hash: it needs 64 hexadecimal digits',
    '“{1}” is geen SHA-256-hash: die heeft 64 hexadecimale cijfers',
  ],
  [
    '“{1}” is not a digest; one looks like sha256: and 64 lower-case hexadecimal digits',
    '“{1}” is geen digest; die ziet eruit als sha256: met 64 hexadecimale cijfers in kleine letters',
  ],
  ['“{1}” is not a platform; write it as linux/arm64', '“{1}” is geen platform; schrijf het als linux/arm64'],
  ['an image needs a name, such as app:v1', 'een image heeft een naam nodig, zoals app:v1'],
  [
    '“{1}” has capital letters in its name; repositories are written in lower case',
    '“{1}” heeft hoofdletters in de naam; repository’s schrijft men met kleine letters',
  ],
  [
    '“{1}” is not a repository name: use lower-case letters and digits, with . _ - or / between them, as in team/app',
    '“{1}” is geen naam van een repository: gebruik kleine letters en cijfers, met . _ - of / ertussen, zoals team/app',
  ],
  [
    "“{1}” is not a registry's address; write it as cr.boss.org or cr.boss.org:5000",
    '“{1}” is geen adres van een registry; schrijf het als cr.boss.org of cr.boss.org:5000',
  ],
  [
    '“{1}” is not a tag: use up to 128 letters, digits, dots, underscores and hyphens, as in v1.0',
    '“{1}” is geen tag: gebruik hoogstens 128 letters, cijfers, punten, lage streepjes en koppeltekens, zoals v1.0',
  ],
  [
    "“{1}” is too long: a repository's name has 255 characters at most",
    '“{1}” is te lang: de naam van een repository heeft hoogstens 255 tekens',
  ],
  [
    "“{1}” is an image's ID, not its name; give the image a name first, such as app:v1",
    '“{1}” is de ID van een image, niet zijn naam; geef het image eerst een naam, zoals app:v1',
  ],

  // The configuration file.
  ['a problem:\n{1!}', 'een fout:\n{1!}'],
  ['{1} problems:\n{2!}', '{1} fouten:\n{2!}'],
  ['line {1}, column {2}: {3!}', 'regel {1}, kolom {2}: {3!}'],
  ['{1} must be one of these: {2}', '{1} moet een van deze zijn: {2}'],
  [
    '“{1}” is not an address of this machine; use one of 127.0.0.0/8, as in 127.77.1.1',
    '“{1}” is geen adres van deze computer; gebruik er een uit 127.0.0.0/8, zoals 127.77.1.1',
  ],
  [
    '“{1}” is not an address of a container network; `docker network inspect bridge` shows it as “Gateway”, mostly 172.17.0.1',
    '“{1}” is geen adres van een containernetwerk; `docker network inspect bridge` toont het als “Gateway”, meestal 172.17.0.1',
  ],
  ['“{1}” is not a setting; these are: {2}', '“{1}” is geen instelling; dit zijn ze: {2}'],
  ['“{1}” is not a kind of notification; these are: {2}', '“{1}” is geen soort melding; dit zijn ze: {2}'],
  [
    '“{1}” is not a setting of a registry; these are: {2}',
    '“{1}” is geen instelling van een registry; dit zijn ze: {2}',
  ],
  [
    '“{1}” is not a setting of an offer; these are: {2}',
    '“{1}” is geen instelling van een aanbod; dit zijn ze: {2}',
  ],
  [
    'this registry has no {1}; add a line such as {2} = "{3}"',
    'deze registry heeft geen {1}; voeg een regel toe zoals {2} = "{3}"',
  ],
  ['{1} must be a text in quotes', '{1} moet een tekst tussen aanhalingstekens zijn'],
  ['{1} must be true or false, without quotes', '{1} moet true of false zijn, zonder aanhalingstekens'],
  [
    '{1} must be a whole number from {2} to {3}, without quotes',
    '{1} moet een heel getal van {2} tot en met {3} zijn, zonder aanhalingstekens',
  ],
  [
    '“{1}” is not a part of the configuration; it knows [settings], [[registry]] and [[offer]]',
    '“{1}” is geen deel van de configuratie; die kent [settings], [[registry]] en [[offer]]',
  ],
  [
    '“settings” must be a table: write [settings] on a line of its own',
    '“settings” moet een tabel zijn: schrijf [settings] op een eigen regel',
  ],
  [
    'notifications must be a table, such as notifications = {1}',
    'notifications moet een tabel zijn, zoals notifications = {1}',
  ],
  [
    'registries are a list: write [[registry]], with two brackets',
    'registry’s zijn een lijst: schrijf [[registry]], met twee haken',
  ],
  [
    'a registry must be a table: write [[registry]]',
    'een registry moet een tabel zijn: schrijf [[registry]]',
  ],
  ['“{1}” is the name of the registry at line {2} already', 'zo, “{1}”, heet de registry op regel {2} al'],
  ['{1} belongs to the registry at line {2} already', '{1} hoort al bij de registry op regel {2}'],
  [
    'offers are a list: write [[offer]], with two brackets',
    'een aanbod staat in een lijst: schrijf [[offer]], met twee haken',
  ],
  ['an offer must be a table: write [[offer]]', 'een aanbod moet een tabel zijn: schrijf [[offer]]'],
  ['port {1} of {2} is offered already', 'poort {1} van {2} wordt al aangeboden'],
  [
    'this offer has no ssh; add a line such as ssh = "root@prod.boss.org"',
    'dit aanbod heeft geen ssh; voeg een regel toe zoals ssh = "root@prod.boss.org"',
  ],
  ['each host must be a text in quotes', 'elke host moet een tekst tussen aanhalingstekens zijn'],
  ['“{1}” is in the list already', '“{1}” staat al in de lijst'],
  [
    'the list of hosts is empty; put the preferred one first',
    'de lijst van hosts is leeg; zet de liefste voorop',
  ],
  [
    'a registry with a url has no tunnel, so {1} means nothing here',
    'een registry met een url heeft geen tunnel, dus {1} betekent hier niets',
  ],
  [
    'client-certificate and client-key belong together: give both or neither',
    'client-certificate en client-key horen bij elkaar: geef beide of geen',
  ],
  [
    '“{1}” must be an absolute path, or begin with ~/',
    '“{1}” moet een volledig pad zijn, of met ~/ beginnen',
  ],
  ['it cannot be configured so: {1!}', 'zo is het niet in te stellen: {1!}'],
  ['“{1}” is not a list of tables', '“{1}” is geen lijst van tabellen'],
  ['“settings” is not a table', '“settings” is geen tabel'],
  [
    'its hosts have different key files or jump hosts, which belong into ~/.ssh/config',
    'zijn hosts hebben verschillende sleutelbestanden of tussenhosts; die horen in ~/.ssh/config',
  ],
  ['the path {1} is not valid UTF-8', 'het pad {1} is geen geldige UTF-8'],

  // Team files.
  ['{1} is in it twice', '{1} staat er twee keer in'],
  ['it is longer than 1 MiB', 'het is langer dan 1 MiB'],
  [
    'it is of version {1} and this Dockline reads version {2}',
    'het is van versie {1} en deze Dockline leest versie {2}',
  ],
  ['{1}: it has no SSH host', '{1}: er staat geen SSH-host bij'],
  ['{1}: its port is 0', '{1}: de poort is 0'],
  ['{1}: a registry with a url has no tunnel', '{1}: een registry met een url heeft geen tunnel'],

  // Certificates.
  ['the certificate file is longer than 64 KiB', 'het certificaatbestand is langer dan 64 KiB'],
  [
    'there is no certificate in it (-----BEGIN CERTIFICATE-----)',
    'er staat geen certificaat in (-----BEGIN CERTIFICATE-----)',
  ],
  [
    "it holds something else than certificates; give only the authority's certificate",
    'er staat ook iets anders in dan certificaten; geef alleen het certificaat van de autoriteit',
  ],
  ['a certificate in it is damaged', 'een certificaat erin is beschadigd'],

  // Files of settings, and why they are left alone.
  [
    '{1} for {2} is neither in 127.0.0.0/8 nor the gateway that was chosen',
    '{1} voor {2} ligt niet in 127.0.0.0/8 en is niet de gekozen gateway',
  ],
  [
    '{1} is not a private address, and so no gateway of a container network',
    '{1} is geen privéadres, en dus geen gateway van een containernetwerk',
  ],
  ['{1} was asked for twice', 'om {1} werd twee keer gevraagd'],
  [
    "{1} is not one registry's name but a suffix that many names end in",
    '{1} is niet de naam van één registry, maar een einde van vele namen',
  ],
  ['line {1} already gives {2} the address {3}', 'regel {1} geeft {2} al het adres {3}'],
  [
    "line {1} is one half of Dockline's markers and the other half is missing",
    'regel {1} is de ene helft van de merktekens van Dockline en de andere ontbreekt',
  ],
  ["line {1} begins a second block of Dockline's", 'op regel {1} begint een tweede blok van Dockline'],
  [
    'it is written in UTF-16, which no program that uses it reads',
    'het is in UTF-16 geschreven, wat geen programma dat het gebruikt leest',
  ],
  ['it is not UTF-8', 'het is geen UTF-8'],
  [
    'it begins with a byte order mark, for which the engine would ignore all of it',
    'het begint met een byte order mark, waardoor de engine alles zou negeren',
  ],
  [
    'it is empty, for which the engine ignores it; an empty one would be {1}',
    'het is leeg, waardoor de engine het negeert; een leeg bestand is {1}',
  ],
  [
    'it is not valid JSON, so the engine ignores it: {1}',
    'het is geen geldige JSON, dus de engine negeert het: {1}',
  ],
  ['it is JSON but not an object ({1})', 'het is JSON maar geen object ({1})'],
  ['“{1}” stands in it twice', '“{1}” staat er twee keer in'],
  ['“{1}” differs from “{2}” in capital letters only', '“{1}” verschilt alleen in hoofdletters van “{2}”'],
  ['“{1}” in it is not a list of texts', '“{1}” erin is geen lijst van teksten'],
  [
    'the engine was started with the flag --insecure-registry, and does not start with both the flag and the file',
    'de engine is gestart met de vlag --insecure-registry, en start niet met de vlag én het bestand',
  ],
  [
    '{1} is a name, and a name among insecure-registries sends passwords in the clear to wherever it leads one day',
    '{1} is een naam, en een naam bij insecure-registries stuurt wachtwoorden leesbaar naar waar die ooit heen leidt',
  ],
  [
    '{1} is neither a loopback nor a private address, so passwords would travel in the clear',
    '{1} is geen loopback-adres en geen privéadres, dus wachtwoorden zouden leesbaar reizen',
  ],
  ['it is not valid TOML: {1}', 'het is geen geldige TOML: {1}'],
  ['it already says something else about {1}', 'het zegt al iets anders over {1}'],
  [
    'line {1} is written in a way that Dockline does not change ({2!})',
    'regel {1} is geschreven op een manier die Dockline niet verandert ({2!})',
  ],
  ['there is one already, and Dockline did not write it', 'er is er al een, en Dockline schreef dat niet'],
  ['the path names no file', 'het pad noemt geen bestand'],
  ['the path is not absolute and plain', 'het pad is niet volledig en gewoon'],
  [
    '“{1}” on the way is a symbolic link or no folder',
    '“{1}” onderweg is een symbolische koppeling of geen map',
  ],
  [
    'others may change the folder “{1}” on the way, so root does not write in it',
    'anderen mogen de map “{1}” onderweg veranderen, dus root schrijft er niet in',
  ],
  ['a symbolic link', 'een symbolische koppeling'],
  ['a device, pipe or socket', 'een apparaat, pipe of socket'],
  ['it is a mount of its own, as in a container', 'het is een eigen koppelpunt, zoals in een container'],
  ['it has more than one name (hard links)', 'het heeft meer dan één naam (harde koppelingen)'],
  ['it is no longer a regular file', 'het is geen gewoon bestand meer'],
  ['it is a link or no folder', 'het is een koppeling of geen map'],
  ['a new file would not keep its access list', 'een nieuw bestand zou zijn toegangslijst niet houden'],
  ['its copy of a file is damaged', 'zijn kopie van een bestand is beschadigd'],
  ['it has a provision: of its own', 'het heeft al een eigen provision:'],
  ['a list where a key is expected', 'een lijst waar een sleutel hoort'],
  ['no plain key: in column 0', 'geen gewone sleutel: in kolom 0'],
  ['a key for the second time', 'een sleutel voor de tweede keer'],
  ['blanks or a comment around {1}', 'spaties of commentaar om {1}'],
  ['a value on the line of docker:', 'een waarde op de regel van docker:'],
  ['an unfinished docker:', 'een onaffe docker:'],
  ['a list below docker:', 'een lijst onder docker:'],
  [
    'a list in brackets or a comment behind insecure-registries:',
    'een lijst tussen haken of commentaar achter insecure-registries:',
  ],
  ['an empty insecure-registries:', 'een lege insecure-registries:'],
  ['no plain list item', 'geen gewoon lijstonderdeel'],
  ['the change is not one that Dockline asks for', 'de verandering is er geen waar Dockline om vraagt'],
  ['{1} is not a regular file but {2!}', '{1} is geen gewoon bestand maar {2!}'],
  [
    '{1} is not used, since {2!}; look into it and remove it as an administrator',
    '{1} wordt niet gebruikt, want {2!}; kijk erin en verwijder het als beheerder',
  ],
  ['it belongs to somebody who is no administrator', 'het is van iemand die geen beheerder is'],
  ['others may have written in it', 'anderen kunnen erin geschreven hebben'],
];
