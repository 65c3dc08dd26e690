// Everything the window can do, as a list to search: the palette shows it, and the shortcuts come from it.

import type { RegistryView } from '../generated/RegistryView';
import { t } from '../strings';
import { copyText } from './clipboard';
import { imageRows, type ImageRow } from './images';
import { KEYS } from './keys';
import { isFinal, isMoving } from './progress';
import { authorityOf } from './reference';
import { LANGUAGES, language } from './language.svelte';
import { text, type TextStep } from './text.svelte';
import { THEMES, theme } from './theme.svelte';
import { VIEWS } from './views';
import type { Store } from './store.svelte';
import { actions, others } from './tunnel';

export interface Action {
  id: string;
  /** What it says in the list. */
  label: string;
  /** Which group it belongs to. */
  group: string;
  /** Keys that do the same, as `Mod+K`. */
  keys?: string;
  act: () => void;
}

/** The keys that make the text larger and smaller; the window takes them itself, in dialogs too. */
export const TEXT_KEYS = [
  ['larger', 'Mod++'],
  ['smaller', 'Mod+-'],
  ['usual', 'Mod+0'],
] as const satisfies [TextStep, string][];

/** All actions that make sense now. */
export function allActions(store: Store): Action[] {
  const snapshot = store.snapshot;
  const registries = snapshot?.registries ?? [];
  return [
    ...views(store),
    ...general(store),
    ...registries.flatMap((registry) => ofRegistry(store, registry)),
    ...images(store),
    ...appearance(store),
  ];
}

/** Those of them that have keys. */
export function shortcuts(store: Store): Action[] {
  return [...views(store), ...general(store)].filter(({ keys }) => keys !== undefined);
}

function views(store: Store): Action[] {
  return VIEWS.map((view, at) => ({
    id: `view-${view}`,
    label: t.palette.open(t.nav[view]),
    group: t.palette.groups.go,
    keys: `Mod+${at + 1}`,
    act: () => store.go(view),
  }));
}

function general(store: Store): Action[] {
  const group = t.palette.groups.do;
  const list: Action[] = [
    {
      id: 'add',
      label: t.registries.add,
      group,
      keys: KEYS.add,
      act: () => (store.dialog = { kind: 'add' }),
    },
    {
      id: 'pull',
      label: t.pull.title,
      group,
      keys: KEYS.pull,
      act: () => (store.dialog = { kind: 'pull' }),
    },
    {
      id: 'archive',
      label: t.archive.title,
      group,
      keys: KEYS.archive,
      act: () => (store.dialog = { kind: 'archive', paths: [] }),
    },
    {
      id: 'setup',
      label: t.setup.title,
      group,
      act: () => (store.dialog = { kind: 'setup', action: 'apply', registry: null }),
    },
    { id: 'offer', label: t.offer.title, group, act: () => (store.dialog = { kind: 'offer' }) },
    { id: 'copy', label: t.copyImage.title, group, act: () => (store.dialog = { kind: 'copy' }) },
    { id: 'team', label: t.team.title, group, act: () => (store.dialog = { kind: 'team' }) },
    {
      id: 'refresh',
      label: t.images.refresh,
      group,
      act: () => void store.attempt({ kind: 'refresh-images' }),
    },
    {
      id: 'shortcuts',
      label: t.shortcuts.title,
      group,
      keys: KEYS.shortcuts,
      act: () => (store.dialog = { kind: 'shortcuts' }),
    },
  ];
  const transfers = store.snapshot?.transfers ?? [];
  const attempt = (
    id: string,
    label: string,
    kind: 'retry-all' | 'pause-all' | 'resume-all' | 'dismiss-all',
  ) => list.push({ id, label, group, act: () => void store.attempt({ kind }) });
  if (transfers.some(({ state }) => state.kind === 'failed'))
    attempt('retry-all', t.transfers.retryAll, 'retry-all');
  if (store.snapshot?.paused) attempt('resume-all', t.transfers.resumeAll, 'resume-all');
  else if (transfers.some(isMoving)) attempt('pause-all', t.transfers.pauseAll, 'pause-all');
  if (transfers.some(isFinal)) attempt('dismiss-all', t.transfers.clear, 'dismiss-all');
  const running = transfers.filter((transfer) => !isFinal(transfer));
  for (const transfer of running) {
    list.push({
      id: `cancel-${transfer.id}`,
      label: t.transfers.cancelNamed(transfer.source),
      group,
      act: () => void store.attempt({ kind: 'cancel', transfer: transfer.id }),
    });
  }
  return list;
}

function ofRegistry(store: Store, registry: RegistryView): Action[] {
  const { name, port, address, url } = registry.spec;
  const can = actions(registry);
  const authority = registry.aliasReady || url ? authorityOf(registry.spec) : `${address}:${port}`;
  const list: Action[] = [];
  const add = (id: string, label: string, act: () => void) =>
    list.push({ id: `${id} ${name}`, label: `${name}: ${label}`, group: t.palette.groups.registries, act });
  const { connect, disconnect } = can;
  if (connect)
    add('connect', t.registries[connect], () =>
      store.attempt({ kind: 'connect', registry: name, hold: false }),
    );
  if (disconnect) {
    add('disconnect', t.registries[disconnect], () => {
      if (others(registry.tunnel.leases).length > 0) store.dialog = { kind: 'disconnect', registry: name };
      else void store.attempt({ kind: 'disconnect', registry: name, force: false });
    });
  }
  add('inside', t.registries.inside, () => store.lookInside(name));
  // On its host, which only a registry behind a tunnel has.
  if (!url) add('collect', t.collect.open, () => (store.dialog = { kind: 'collect', registry: name }));
  add('check', t.remedy.check, () => store.check(name));
  add('edit', t.registries.edit, () => (store.dialog = { kind: 'edit', registry: name }));
  add('duplicate', t.registries.duplicate, () => (store.dialog = { kind: 'add', like: name }));
  add('login', t.remedy.login, () => (store.dialog = { kind: 'login', registry: name }));
  add('copy', t.registries.copyAddress(authority), async () => {
    store.say((await copyText(authority)) ? t.copied : t.copyFailed);
  });
  add('remove', t.registries.remove, () => (store.dialog = { kind: 'remove', registry: name }));
  return list;
}

function images(store: Store): Action[] {
  const canPush = (store.snapshot?.registries.length ?? 0) > 0;
  const group = t.palette.groups.images;
  const rows = imageRows(store.snapshot?.engine.images ?? []);
  const push = ({ tag }: ImageRow): Action => ({
    id: `push ${tag}`,
    label: t.images.pushNamed(tag),
    group,
    act: () => (store.dialog = { kind: 'push', image: tag }),
  });
  const ship = ({ tag }: ImageRow): Action => ({
    id: `ship ${tag}`,
    label: t.ship.title(tag),
    group,
    act: () => (store.dialog = { kind: 'ship', image: tag }),
  });
  return [...(canPush ? rows.map(push) : []), ...rows.map(ship)];
}

/** Several steps in a row are one change of the settings. */
const TEXT_RESTS = 300;
let sendingText: ReturnType<typeof setTimeout> | undefined;

/** Makes the text larger or smaller, for this window and the next ones. */
export function resizeText(store: Store, step: TextStep): void {
  const percent = text.after(step);
  if (percent === text.percent) return;
  text.choose(percent);
  store.speak(t.settings.textNow(percent));
  clearTimeout(sendingText);
  sendingText = setTimeout(
    () => void store.attempt({ kind: 'change-settings', change: { textPercent: percent } }),
    TEXT_RESTS,
  );
}

/** As on the page of settings, where they show what was chosen here. */
function appearance(store: Store): Action[] {
  const group = t.palette.groups.look;
  return [
    ...THEMES.map((choice) => ({
      id: `theme-${choice}`,
      label: `${t.settings.theme}: ${t.settings.themes[choice]}`,
      group,
      act: () => {
        theme.choose(choice);
        void store.attempt({ kind: 'change-settings', change: { theme: choice } });
      },
    })),
    ...TEXT_KEYS.map(([step, keys]) => ({
      id: `text-${step}`,
      label: t.settings.textSteps[step],
      group,
      keys,
      act: () => resizeText(store, step),
    })),
    ...LANGUAGES.map((choice) => ({
      id: `language-${choice}`,
      label: `${t.settings.language}: ${t.settings.languages[choice]}`,
      group,
      act: () => {
        language.choose(choice);
        void store.attempt({ kind: 'change-settings', change: { language: choice } });
      },
    })),
  ];
}

/** How many the palette shows at most: more is not read, only scrolled. */
export const SHOWN = 60;

/** Actions that have every word of the query; those whose label begins with it first. */
export function search(list: readonly Action[], query: string): Action[] {
  const typed = query.trim().toLowerCase();
  const words = typed.split(/\s+/).filter(Boolean);
  const found = list.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
  const rank = ({ label }: Action) => (label.toLowerCase().startsWith(typed) ? 0 : 1);
  return (words.length === 0 ? found : found.toSorted((a, b) => rank(a) - rank(b))).slice(0, SHOWN);
}
