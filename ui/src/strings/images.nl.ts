// Dutch words of the images here, and the dialogs that send or fetch one.

import type { en } from './images.en';
import { plural } from './plural';

export const nl: typeof en = {
  images: {
    title: 'Images',
    search: 'Images zoeken',
    refresh: 'Nog eens aan de engine vragen',
    pull: 'Ophalen…',
    pushArchive: 'Een archief pushen…',
    push: 'Pushen…',
    pushNamed: (name: string) => `${name} pushen`,
    columns: {
      name: 'Image',
      id: 'ID',
      size: 'Grootte',
      where: 'Gepusht naar',
      age: 'Gebouwd',
      action: 'Actie',
    },
    dropOn: 'Laat het los op een registry',
    copyName: 'De naam kopiëren',
    engine: 'Engine',
    unnamed: (n: number) =>
      `${plural(n, 'image', 'images')} zonder naam ${n === 1 ? 'is' : 'zijn'} niet getoond.`,
    emptyTitle: 'Nog geen images',
    empty: 'Images die u bouwt of ophaalt verschijnen hier vanzelf.',
    noMatchTitle: (query: string) => `Niets past bij “${query}”`,
    noMatch: 'Er wordt gezocht in namen, tags en ID’s.',
    found: (n: number) => plural(n, 'image', 'images'),
    clearSearch: 'Zoekopdracht wissen',
    unknown: 'Docker of Podman wordt gezocht…',
    unavailableTitle: 'Er antwoordt geen container-engine',
    unavailableArchive:
      'Image-archieven hebben geen engine nodig: laat er een los op dit venster, en het wordt gepusht.',
    noRegistry: 'Voeg eerst een registry toe; dan is er iets om naartoe te pushen.',
  },
  push: {
    title: (image: string) => `${image} pushen`,
    to: 'Naar',
    as: 'Naam in de registry',
    result: 'Wordt',
    submit: 'Pushen',
    everywhere: (n: number) => `Naar alle ${n} hosts ervan`,
    everywhereHelp: 'Elke host krijgt een eigen overdracht; anders gaat het naar de host die in gebruik is.',
    road: 'Route',
    roads: { auto: 'Dockline beslist', engine: 'Via de engine', direct: 'Rechtstreeks' },
    roadHelp: {
      auto: 'Wat hier het snelst is; de overdracht zegt waarom.',
      engine: 'Zoals docker push het doet.',
      direct:
        'Dockline leest het image uit de engine en verzendt het zelf: het kan pauzeren, en gaat verder na een verlies.',
    },
    compression: 'Compressie',
    compressions: { auto: 'Dockline beslist', gzip: 'gzip', zstd: 'zstd', none: 'Niet' },
    compressionHelp:
      'Van lagen die nog niet gecomprimeerd zijn. Elke engine leest gzip; zstd is kleiner en sneller.',
    compressionEngine: 'De engine comprimeert lagen op zijn eigen manier.',
    platformsHelp:
      'Alleen in de image-opslag van containerd bewaart Docker er meer dan één, met hun attestaties; anders is er maar één.',
    platformsEngine: 'De engine beslist hoeveel van een image wordt verzonden.',
  },
  extent: {
    allPlatforms: 'Alle platforms ervan',
    referrers: 'Ook handtekeningen, SBOM’s en attestations',
  },
  copyImage: {
    open: 'Kopiëren naar een registry…',
    title: 'Kopiëren naar een andere registry',
    from: 'Van',
    submit: 'Kopiëren',
    inPlace: 'Daar staat het al. Kies een andere registry, of een andere naam.',
  },
  ship: {
    open: 'Naar de Docker van een host sturen…',
    title: (image: string) => `${image} naar de Docker van een host sturen`,
    about:
      'Voor hosts die geen registry hebben: hun eigen Docker haalt het image op door de SSH-verbinding. Verder blijft er niets achter.',
    host: 'Host',
    hostHelp: 'Zoals u het na ssh typt; meerdere met komma’s ertussen.',
    as: 'Naam daar',
    submit: 'Sturen',
  },
  pull: {
    title: 'Een image ophalen',
    reference: 'Image',
    help: 'Plak een verwijzing, met of zonder de poort.',
    result: 'Haalt op',
    into: 'In',
    intoEngine: 'de container-engine',
    intoFile: 'een bestand',
    pathHelp: 'Het bestand mag nog niet bestaan.',
    saveTitle: 'Het image opslaan als',
    format: 'Formaat',
    formats: { oci: 'OCI-archief', docker: 'Docker-archief (zoals docker save)' },
    platform: 'Platform',
    platformOwn: 'dat van deze computer',
    platformFlaw: 'Schrijf het als linux/arm64 of linux/arm/v7.',
    submit: 'Ophalen',
    unknownRegistry: (host: string) => `${host} is niet een van uw registry’s.`,
    known: (names: string) => `U hebt ${names}.`,
    noRegistry: 'Begin met de registry, zoals in cr.boss.org/app:v1.',
  },
  referenceFlaw: {
    empty: 'Geef het image een naam, zoals app:v1.',
    uppercase: 'Namen van repository’s zijn in kleine letters; alleen de tag mag hoofdletters hebben.',
    repository:
      'Een repository bestaat uit kleine letters, cijfers, en losse . _ - ertussen, zoals in team/app.',
    tag: 'Een tag bestaat uit hoogstens 128 letters, cijfers en . _ -, en begint niet met . of -.',
    digest: 'Een digest is sha256: met 64 hexadecimale cijfers.',
  },

  archive: {
    title: 'Een image-archief pushen',
    path: 'Archiefbestand',
    pathHelp:
      'Wat docker save schreef, of een OCI-layout: .tar, .tar.gz, .tar.zst, of een map. U kunt het ook op het venster loslaten.',
    reference: 'Naam in de registry',
    referencePlaceholder: 'zoals het archief zegt',
    pathEmpty: 'Noem een bestand.',
    choose: 'Kiezen…',
    chooseNamed: (what: string) => `Kiezen: ${what}`,
    image: 'Welk image ervan',
    imageHelp: 'Alleen als het archief er meerdere heeft: de naam die het daar heeft.',
    pathRelative: 'Geef het hele pad, vanaf /.',
    submit: 'Pushen',
    overlayTo: (name: string) => `Laat los om naar ${name} te pushen`,
    overlayChoose: 'Laat los, en kies dan de registry',
    overlayRefused: 'Geen image-archief',
    overlayRefusedHint:
      'Image-archieven eindigen op .tar, .tar.gz of .tar.zst, of zijn mappen met een OCI-layout.',
    refused: (names: string, n: number) =>
      `${names} ${n === 1 ? 'is geen image-archief' : 'zijn geen image-archieven'}: die eindigen op .tar, .tar.gz of .tar.zst. ${n === 1 ? 'Het is' : 'Ze zijn'} niet verzonden.`,
    refusedFolder: (names: string, n: number) =>
      `${names} ${n === 1 ? 'is een map zonder image' : 'zijn mappen zonder image'}: in een OCI-layout staan oci-layout en index.json. ${n === 1 ? 'Hij is' : 'Ze zijn'} niet verzonden.`,
    waits: (names: string, n: number) =>
      `${names} ${n === 1 ? 'wacht' : 'wachten'} op de keuze van een registry tot u klaar bent met wat hier openstaat.`,
    waitsForDialog: (names: string, n: number) =>
      `${names} ${n === 1 ? 'wacht' : 'wachten'} tot u klaar bent met wat hier openstaat.`,
    waitsForState: (names: string, n: number) =>
      `${names} ${n === 1 ? 'wacht' : 'wachten'} tot bekend is welke registry’s u hebt.`,
    filter: 'Image-archieven (docker save, OCI-layout)',
    noRegistry: 'Er is nog geen registry om naartoe te pushen. Voeg er eerst een toe.',
  },
};
