// Words of the settings.

import type { Notices } from '../generated/Notices';
import type { UpdateCheck } from '../generated/UpdateCheck';
import type { Places } from '../generated/Places';

export const en = {
  settings: {
    title: 'Settings',
    window: 'This window',
    theme: 'Colours',
    themes: { system: 'As the system', light: 'Light', dark: 'Dark' },
    language: 'Language',
    languages: { system: 'As the system', en: 'English', nl: 'Nederlands' },
    text: 'Size of the text',
    textHelp: (larger: string, smaller: string) => `Also with ${larger} and ${smaller}.`,
    textSteps: { larger: 'Larger text', smaller: 'Smaller text', usual: 'Text of the usual size' },
    textNow: (percent: number) => `Text at ${percent} %`,
    startAtLogin: 'Start when I log in',
    startAtLoginHelp: 'Without a window: the icon in the tray is enough.',
    startNotHere: 'It can start when you log in once it is installed.',
    notices: 'Notifications',
    notice: {
      done: 'A transfer is done',
      failed: 'A transfer failed',
      hostKey: 'A host shows another key',
      tunnelLost: 'A tunnel is lost for good',
      update: 'There is a newer Dockline',
    } satisfies Record<keyof Notices, string>,
    noticesHelp: 'Never about what you are looking at.',
    tunnels: 'Tunnels',
    linger: 'Close after the last use',
    lingerHelp: 'Where the registry has no figure of its own.',
    keepalive: 'Check the connection after',
    keepaliveHelp: 'A lower figure notices a dead line sooner.',
    seconds: 'seconds',
    secondsOfSilence: 'seconds of silence',
    keyring: 'Keep secrets in the system’s keyring',
    keyringHelp: 'Only what you say should be kept.',
    parallel: 'Transfers at the same time, per registry',
    parallelHelp: 'Further ones wait.',
    setting: 'Being set…',
    between: (least: number, most: number) => `A whole number from ${least} to ${most}.`,
    engine: 'Container engine',
    engineHelp: 'One of Docker’s contexts.',
    engineAsDocker: 'As docker in a terminal',
    ratesAre: 'Each registry has its own limit of speed: see Edit on its card.',
    updates: 'Updates',
    updateCheck: 'Look for newer versions',
    updateChecks: { off: 'Only when I ask', daily: 'Every day', weekly: 'Every week' } satisfies Record<
      UpdateCheck,
      string
    >,
    updateUrl: 'Who is asked',
    updateUrlHelp:
      'The address of a small document that names the newest version, wherever you or your team keep it. Nothing else is asked for newer versions, and nothing of yours is sent.',
    checkUpdates: 'Check now',
    checkingUpdates: 'Asking…',
    noUpdateUrl: 'There is no address to ask yet.',
    runs: (version: string) => `This is Dockline ${version}.`,
    isNewest: (version: string) => `This is the newest version, ${version}.`,
    nothingNewer: (version: string, newest: string) =>
      `This is ${version}; no newer version is known (the newest is ${newest}).`,
    newer: (version: string, running: string) => `Dockline ${version} is available; this is ${running}.`,
    newerHow: 'Nothing is installed by itself: the page says how to get it.',
    openRelease: 'Open its page',
    askedAt: (when: string) => `Asked ${when}.`,
    notAskedAt: (when: string) => `It did not work ${when}:`,
    files: 'Where things are',
    places: {
      config: 'Configuration',
      state: 'Past transfers, and what was changed',
      control: 'Socket of the command line',
      hosts: 'Hosts file',
      ssh: 'SSH configuration',
    } satisfies Record<keyof Places, string>,
  },
};
