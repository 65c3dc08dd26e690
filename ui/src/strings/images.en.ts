// Words of the images here, and the dialogs that send or fetch one.

import type { Flaw } from '../state/reference';
import { plural } from './plural';

export const en = {
  images: {
    title: 'Images',
    search: 'Search images',
    refresh: 'Ask the engine again',
    pull: 'Pull…',
    pushArchive: 'Push an archive…',
    push: 'Push…',
    pushNamed: (name: string) => `Push ${name}`,
    columns: { name: 'Image', id: 'ID', size: 'Size', where: 'Pushed to', age: 'Built', action: 'Action' },
    dropOn: 'Drop it on a registry',
    copyName: 'Copy the name',
    engine: 'Engine',
    unnamed: (n: number) =>
      `${plural(n, 'image', 'images')} without a name ${n === 1 ? 'is' : 'are'} not shown.`,
    emptyTitle: 'No images here yet',
    empty: 'Images that you build or pull appear here by themselves.',
    noMatchTitle: (query: string) => `Nothing matches “${query}”`,
    noMatch: 'Search looks at names, tags and IDs.',
    found: (n: number) => plural(n, 'image', 'images'),
    clearSearch: 'Clear the search',
    unknown: 'Looking for Docker or Podman…',
    unavailableTitle: 'No container engine answers',
    unavailableArchive: 'Image archives need no engine: drop one on this window, and it is pushed.',
    noRegistry: 'Add a registry first; then there is somewhere to push to.',
  },
  push: {
    title: (image: string) => `Push ${image}`,
    to: 'To',
    as: 'Name in the registry',
    result: 'Becomes',
    submit: 'Push',
    everywhere: (n: number) => `To all ${n} of its hosts`,
    everywhereHelp: 'Each host gets a transfer of its own; otherwise it goes to the one in use.',
    road: 'Route',
    roads: { auto: 'Dockline decides', engine: 'Through the engine', direct: 'Directly' },
    roadHelp: {
      auto: 'Whichever is faster here; the transfer says why.',
      engine: 'As docker push does it.',
      direct:
        'Dockline reads the image from the engine and sends it itself: it can be paused, and goes on after a loss.',
    },
    compression: 'Compression',
    compressions: { auto: 'Dockline decides', gzip: 'gzip', zstd: 'zstd', none: 'None' },
    compressionHelp:
      'Of layers that are not compressed yet. Every engine reads gzip; zstd is smaller and faster.',
    compressionEngine: 'The engine compresses layers in its own way.',
    platformsHelp:
      'Docker keeps more than one only in containerd’s image store, with their attestations; elsewhere there is just one.',
    platformsEngine: 'The engine decides how much of an image it sends.',
  },
  extent: {
    allPlatforms: 'All platforms of it',
    referrers: 'Signatures, SBOMs and attestations, too',
  },
  copyImage: {
    open: 'Copy to a registry…',
    title: 'Copy to another registry',
    from: 'From',
    submit: 'Copy',
    inPlace: 'That is where it is already. Choose another registry, or another name.',
  },
  ship: {
    open: 'Ship to a host’s Docker…',
    title: (image: string) => `Ship ${image} to a host’s Docker`,
    about:
      'For hosts that have no registry: their own Docker fetches the image through the SSH connection. Nothing else of it stays there.',
    host: 'Host',
    hostHelp: 'As you would type it after ssh; several with commas between.',
    as: 'Name there',
    submit: 'Ship',
  },
  pull: {
    title: 'Pull an image',
    reference: 'Image',
    help: 'Paste a reference, with or without the port.',
    result: 'Pulls',
    into: 'Into',
    intoEngine: 'the container engine',
    intoFile: 'a file',
    pathHelp: 'The file must not exist yet.',
    saveTitle: 'Save the image as',
    format: 'Format',
    formats: { oci: 'OCI archive', docker: 'Docker archive (as docker save)' },
    platform: 'Platform',
    platformOwn: 'this machine’s own',
    platformFlaw: 'Write it as linux/arm64 or linux/arm/v7.',
    submit: 'Pull',
    unknownRegistry: (host: string) => `${host} is not one of your registries.`,
    known: (names: string) => `You have ${names}.`,
    noRegistry: 'Begin with the registry, as in cr.boss.org/app:v1.',
  },
  referenceFlaw: {
    empty: 'Give the image a name, such as app:v1.',
    uppercase: 'Repository names are lower case; only the tag may have capitals.',
    repository:
      'A repository is made of lower-case letters, digits, and single . _ - between them, as in team/app.',
    tag: 'A tag has letters, digits and . _ - in it, 128 at most, and does not begin with . or -.',
    digest: 'A digest is sha256: and 64 hexadecimal digits.',
  } satisfies Record<Flaw, string>,

  archive: {
    title: 'Push an image archive',
    path: 'Archive file',
    pathHelp:
      'What docker save wrote, or an OCI layout: .tar, .tar.gz, .tar.zst, or a folder. You can also drop it on the window.',
    reference: 'Name in the registry',
    referencePlaceholder: 'as the archive says',
    pathEmpty: 'Name a file.',
    choose: 'Choose…',
    chooseNamed: (what: string) => `Choose: ${what}`,
    image: 'Which image of it',
    imageHelp: 'Only where the archive holds several: its name there.',
    pathRelative: 'Give the whole path, from / on.',
    submit: 'Push',
    overlayTo: (name: string) => `Drop to push to ${name}`,
    overlayChoose: 'Drop, then choose the registry',
    overlayRefused: 'Not an image archive',
    overlayRefusedHint: 'Image archives end in .tar, .tar.gz or .tar.zst, or are folders with an OCI layout.',
    refused: (names: string, n: number) =>
      `${names} ${n === 1 ? 'is not an image archive' : 'are not image archives'}: those end in .tar, .tar.gz or .tar.zst. ${n === 1 ? 'It was' : 'They were'} not sent.`,
    refusedFolder: (names: string, n: number) =>
      `${names} ${n === 1 ? 'is a folder without an image' : 'are folders without images'}: an OCI layout has oci-layout and index.json in it. ${n === 1 ? 'It was' : 'They were'} not sent.`,
    waits: (names: string, n: number) =>
      `${names} ${n === 1 ? 'waits' : 'wait'} for a choice of registry until this dialog is closed.`,
    waitsForDialog: (names: string, n: number) =>
      `${names} ${n === 1 ? 'waits' : 'wait'} until this dialog is closed.`,
    waitsForState: (names: string, n: number) =>
      `${names} ${n === 1 ? 'waits' : 'wait'} until your registries are known.`,
    filter: 'Image archives (docker save, OCI layout)',
    noRegistry: 'There is no registry to push to yet. Add one first.',
  },
};
