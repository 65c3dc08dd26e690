// Words of what is in a registry, and what is removed from it.

import type { ManifestKind } from '../generated/ManifestKind';
import { plural, whole } from './plural';

/** What collecting takes away; mostly there are parts alone, and nobody wants to read of none. */
const garbage = (blobs: number, manifests: number) =>
  [
    ...(blobs > 0 || manifests === 0
      ? [`${plural(blobs, 'layer or other part', 'layers and other parts')} of images`]
      : []),
    ...(manifests > 0 ? [plural(manifests, 'image without a tag', 'images without a tag')] : []),
  ].join(' and ');

export const en = {
  contents: {
    path: 'Where you are',
    refresh: 'Look again',
    loading: 'Asking the registry…',
    repositories: 'Repositories',
    repositoryCount: (n: number) => plural(n, 'repository', 'repositories'),
    tags: 'Tags',
    filterRepositories: 'Find a repository',
    filterTags: 'Find a tag',
    noRepositories: {
      title: 'This registry is empty',
      text: 'What you push appears here.',
    },
    noTags: { title: 'No tags here', text: 'All images of this repository were deleted.' },
    kind: 'Kind',
    kinds: {
      image: 'Image',
      index: 'Images for several platforms',
      artifact: 'Artifact',
    } satisfies Record<ManifestKind, string>,
    platforms: 'Platforms',
    noPlatform: 'no platform named',
    missing: 'not in this registry',
    referrers: 'Signatures and attestations',
    pullCommand: 'To pull it',
    copyCommand: 'Copy the command',
    save: 'Save as a file…',
    delete: 'Delete…',
    config: {
      title: 'How it runs',
      entrypoint: 'Entrypoint',
      command: 'Command',
      ports: 'Ports',
      user: 'User',
      folder: 'Folder',
    },
    usage: {
      title: 'Disk use',
      about:
        'Adds up what all tags lead to. It reads every manifest, which takes a while in a large registry.',
      measure: 'Measure',
      again: 'Measure again',
      begins: 'Reading the repositories…',
      progress: (done: number, total: number) =>
        `${whole(done)} of ${plural(total, 'repository', 'repositories')}`,
      total: (size: string) => `${size} in all; what several share is counted once.`,
      tags: (n: number) => plural(n, 'tag', 'tags'),
      legend: 'The full colour is a repository’s own; the pale one it shares with others.',
      collect:
        'Deleting frees nothing by itself: the registry’s own garbage collection does, on the host, while nobody pushes.',
    },
  },
  collect: {
    open: 'Collect garbage…',
    title: (name: string) => `Collect the garbage of ${name}`,
    about:
      'What no tag leads to any more keeps its room until the registry’s own program removes it, on its host.',
    planning: 'Asking on the host what would be removed…',
    container: (name: string, engine: string) => `The registry runs in the container ${name} (${engine}).`,
    unit: (name: string) => `The registry runs as ${name}.`,
    would: (blobs: number, manifests: number, size: string | null) =>
      `${garbage(blobs, manifests)} would be removed${size === null ? '' : `: ${size}`}.`,
    nothing: 'There is nothing to remove.',
    untagged: 'Also images that no tag names',
    untaggedHelp: 'They are gone for good, also for who pulls them by digest.',
    login: 'Log in on the host as',
    loginHelp: 'As somebody who may run programs there. The tunnel’s own login is used otherwise.',
    look: 'See what would be removed',
    accept: 'Stop the registry and clean up',
    busy: 'The registry is stopped and its garbage is being collected…',
    freed: (size: string | null) => (size === null ? 'The garbage is gone.' : `${size} is free again.`),
    went: (blobs: number, manifests: number) => `Removed: ${garbage(blobs, manifests)}.`,
    stopped: (time: string) => `The registry was stopped for ${time}.`,
  },
  delete: {
    title: (name: string) => `Delete ${name}?`,
    planning: 'Finding out what would be removed with it…',
    one: (digest: string) => `The image ${digest} is removed, and this tag with it.`,
    tags: (tags: string, digest: string) =>
      `The image ${digest} is removed, and every tag that names it: ${tags}.`,
    unused: (size: string) =>
      `${size} is used by nothing else here. The disk gets it back when the registry collects its garbage.`,
    shared: (size: string) => `${size} stays, since other tags use it.`,
    accept: 'Delete',
    done: (name: string) => `${name} is deleted.`,
  },
};
