// Words of the window as a whole: its frame, what stands everywhere, the palette and the keys.

import { plural, whole } from './plural';

export const en = {
  app: 'Dockline',
  nav: {
    label: 'Views',
    registries: 'Registries',
    images: 'Images',
    transfers: 'Transfers',
    doctor: 'Doctor',
    settings: 'Settings',
    running: 'under way',
  },
  more: (n: number) => `Show more (${whole(n)} left)`,
  others: (n: number) => `${whole(n)} more`,
  failedBecause: (names: string, _n: number, why: string) => `${names} failed: ${why}`,
  refused: (names: string, n: number) => `${names} ${n === 1 ? 'was' : 'were'} refused.`,
  refusedToo: (names: string, n: number) => `${names} ${n === 1 ? 'was' : 'were'} refused, too.`,
  moreThere: 'Show more',
  close: 'Close',
  cancel: 'Cancel',
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'The clipboard is not available; select the text and copy it by hand.',
  failed: 'Something went wrong.',
  notice: 'Notice',
  details: 'Details',
  engineWords: 'In the engine’s own words',
  loading: 'Looking for the tunnels…',
  broken: {
    title: 'Dockline’s core does not answer',
    retry: 'Try again',
  },
  configError: (path: string) =>
    `The configuration in ${path} cannot be read. The last good one stays in force.`,

  time: {
    seconds: (n: number) => `${n} s`,
    minutes: (n: number) => `${n} min`,
    hours: (h: number, m: number) => (m > 0 ? `${h} h ${m} min` : `${h} h`),
    days: (n: number) => plural(n, 'day', 'days'),
    underASecond: 'under a second',
    left: (duration: string) => `about ${duration} left`,
    fewSecondsLeft: 'a few seconds left',
    justNow: 'just now',
  },

  footer: {
    engineUnknown: 'Looking for Docker or Podman…',
    engineUnavailable: 'No container engine',
    running: (n: number) => plural(n, 'transfer', 'transfers'),
    config: 'Configuration',
  },

  palette: {
    title: 'Find a command',
    placeholder: 'What do you want to do?',
    open: (view: string) => `Go to ${view}`,
    none: (query: string) => `Nothing here is called “${query}”.`,
    count: (n: number) => plural(n, 'entry', 'entries'),
    groups: { go: 'Go to', do: 'Actions', registries: 'Registries', images: 'Images', look: 'Appearance' },
  },
  shortcuts: {
    title: 'Keyboard shortcuts',
    control: 'Ctrl+',
    shift: 'Shift+',
    delete: 'Del',
    onRegistry: (what: string) => `On a registry: ${what}`,
    onImage: (what: string) => `On an image: ${what}`,
    paste: 'Pull what you copied',
    close: 'Close a dialog',
  },
  remedy: {
    edit: 'Edit the registry…',
    login: 'Log in to the registry…',
    contents: 'See what is in it',
    check: 'Check the connection',
    connect: 'Connect, and answer its question',
    settings: 'Go to the settings',
  },

  list: (items: string[]) => new Intl.ListFormat('en', { type: 'conjunction' }).format(items),
};
