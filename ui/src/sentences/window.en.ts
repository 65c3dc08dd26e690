// What the owner advises to do in a terminal, as the window says it: there, a button or a field stands beside it. The Dutch
// sentences are the window's own anyway (see sentences.ts). `{1}` is a name, which is kept.

/** A part of a sentence or all of it, and what the window says instead. */
export const inWindow: readonly (readonly [owner: string, window: string])[] = [
  [
    'certificate: dockline setup REGISTRY --ca FILE, or ca = "FILE" in the configuration.',
    'certificate: “Certificate authority” under Edit on its card.',
  ],
  [
    'certificate: dockline setup {1} --ca FILE',
    'certificate: “Certificate authority” under Edit on its card.',
  ],
  [': dockline setup --undo', '.'],
  [': dockline setup {1}', '.'],
  [': dockline setup', '.'],
  ['Run `dockline setup`, which enters it in', 'Let Dockline enter it (“Make docker push work here”) in'],
  ['Run `dockline setup`: it shows', '“Make docker push work here” shows'],
  ['Log in: dockline login {1}', 'Log in to {1}.'],
  ["Log in with `dockline login` and the registry's name; if", 'Log in to the registry; if'],
  ['Log in with `dockline login {1}`', 'Log in to {1}'],
  ['or log in with dockline login.', 'or log in to the registry here.'],
  ['`dockline doctor {1}` tries the way there.', 'The doctor tries the way there.'],
  ['Give them: --username NAME --password-stdin', 'Give them with “Log in to the registry…”.'],
  [
    '`dockline list` shows the configured ones; `dockline add` adds one.',
    'Registries shows those there are.',
  ],
  ['(`dockline list` shows it)', '(Edit on its card shows it)'],
  ['`dockline list` shows the configured ones.', 'Registries shows those there are.'],
  ['or remove it first: dockline remove {1}', 'or remove {1} first.'],
  [
    "To take the file's: dockline remove {1}, and import again.",
    "To take the file's: remove {1}, and read it again.",
  ],
  ['what `dockline team export` writes.', 'what “Team file…” writes.'],
  ['(`dockline status`) ', ''],
  ['`dockline status` shows the hosts of a registry.', "A registry's card shows its hosts."],
  ['`dockline doctor` shows', 'the doctor shows'],
  ['without one: dockline push FILE.tar.', 'without one.'],
  [
    "without the engine's settings until then: dockline push IMAGE.",
    "without the engine's settings until then.",
  ],
  ['with `dockline push IMAGE`', 'with Dockline itself'],
  [
    '(“Address for containers” in the window, gateway in the configuration), then run dockline setup {1} again.',
    '(“Address for containers” in Edit), then use “Make docker push work here” again.',
  ],
  [
    '(“Address for containers” in the window, gateway in the configuration), then run dockline setup again.',
    '(“Address for containers” in Edit), then use “Make docker push work here” again.',
  ],
  ['(dockline setup --plan, or dockline hosts --plan)', '(“Make docker push work here”)'],
  [
    'skopeo copy --all, or dockline pull --output FILE --all-platforms',
    'pull it into a file, with all platforms',
  ],
  ['Name a login that may: --ssh root@HOST', 'Name a login that may, such as root@HOST.'],
  ['(--all-platforms takes', '(“All platforms of it” takes'],
  ['(--engine lets it send', '(“Through the engine” lets it send'],
  ['Leave --untagged out, or', 'Take the tick away, or'],
  ['another port with --port, or', 'another port, or'],
  ['to be called there: --as app:v1', 'to be called there, such as app:v1.'],
  ['which of them to push (--image), or', 'which of them to push, under “More options”, or'],
  ['Say which one (--image NAME), or', 'Say which one, under “More options”, or'],
  ['or leave the engine out of it (--direct).', 'or choose the route “Directly”.'],
  [
    'Leave --engine out, or --compression and --level.',
    'Choose the route “Directly”, or leave the compression to the engine.',
  ],
  ['Leave --engine out, or --all-platforms.', 'Choose the route “Directly”, or one platform.'],
  [
    'move all of it from registry to registry: dockline copy FROM TO --all-platforms',
    'copy all of it from registry to registry.',
  ],
  ['all of it can be moved: dockline copy FROM TO --all-platforms --referrers', 'all of it can be copied.'],
  ['Push it without --all-platforms, or', 'Push it for one platform, or'],
  ['Leave --engine out, or', 'Choose the route “Directly”, or'],
  ['archive instead (--format oci), or', 'archive instead, or'],
];
