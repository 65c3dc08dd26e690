// The window's one store. Events go through the reducer here and nowhere else; views read, and call `request`.

import { toUiError, type Backend, type Drop, type Told, type View, type Wanted } from '../backend/backend';
import type { Command } from '../generated/Command';
import type { RegistryName } from '../generated/RegistryName';
import type { Reply } from '../generated/Reply';
import type { Snapshot } from '../generated/Snapshot';
import type { TransferId } from '../generated/TransferId';
import type { UiError } from '../generated/UiError';
import type { UsageProgress } from '../generated/UsageProgress';
import { saidError, saidPlainly } from '../sentences/sentences';
import { announcements } from './announce';
import type { OpenDialog } from './dialog';
import { overall, type Overall } from './groups';
import { fraction } from './progress';
import { Rates } from './rates.svelte';
import { language } from './language.svelte';
import { order, reduce } from './reducer';
import { text } from './text.svelte';
import { theme } from './theme.svelte';
import { Welcome } from './welcome.svelte';

/** Least time between two snapshots asked for because of missing numbers, in milliseconds. */
const GAP_PAUSE = 5_000;

/** Least time between two redraws, in milliseconds: a bar that moves ten times a second moves smoothly. */
const CALM = 100;

/** Something to say that belongs to no dialog and no row. */
export interface Notice {
  tone: 'info' | 'error';
  text: string;
  hint?: string | null;
  code?: UiError['code'];
}

/** One after the other, so that no two are heard as one. */
function sentences(words: string[]): string {
  return words
    .map((text, at) => (at + 1 < words.length ? text.replace(/[\p{L}\p{N}”)]$/u, '$&.') : text))
    .join(' ');
}

export class Store {
  snapshot = $state.raw<Snapshot | null>(null);
  /** What each overall bar shows; see `fraction`. */
  shown = $state.raw<ReadonlyMap<TransferId, number>>(new Map());
  /** Everything under way as one bar. */
  overall = $state.raw<Overall | null>(null);
  /** How far the measuring of a registry's contents is. */
  usage = $state.raw<ReadonlyMap<RegistryName, UsageProgress>>(new Map());
  /** How fast each tunnel carries, for the last minute. */
  readonly rates = new Rates();
  view = $state<View>('registries');
  /** The registry that the page of contents is about. */
  inside = $state<RegistryName | null>(null);
  /** The registry that the page of checks is about; the first if none was chosen. */
  checked = $state<RegistryName | null>(null);
  /** Whether that page is to begin by itself. */
  checkNow = $state(false);
  readonly welcome: Welcome;
  dialog = $state.raw<OpenDialog | null>(null);
  notice = $state.raw<Notice | null>(null);
  /** The last thing a screen reader is told. */
  spoken = $state('');
  /** How many things it was told. */
  said = $state(0);
  /** Whether the shell tells it, so that the page must not. */
  heard = $state(false);
  /** The state could not be had at all. */
  broken = $state.raw<UiError | null>(null);
  demoSample = $state<string | null>(null);
  drag = $state.raw<Drop | null>(null);
  /** The card under the dragged files. */
  dropTarget = $state<string | null>(null);
  /** What to do with paths that were let go; set by the window. */
  onDrop: (drop: Drop) => void = () => {};

  readonly #backend: Backend;
  /** What is to be said and not said yet, and whether the page has it anyhow. */
  #words: { text: string; onPage: boolean }[] = [];
  #uttering = false;
  #queue: Told[] = [];
  #flushing = false;
  #lastFlush = -CALM;
  /** Events that came while a snapshot was under way; they may be newer than it. */
  #sinceAsked: Told[] | null = null;
  #nextGapSnapshot = 0;

  constructor(backend: Backend) {
    this.#backend = backend;
    this.welcome = new Welcome(this);
  }

  /** Whether the first start is shown where the registries would be: nothing is there, or it is not done yet. */
  get welcoming(): boolean {
    if (this.view !== 'registries' || this.snapshot === null) return false;
    return this.snapshot.registries.length === 0 || (this.welcome.step === 'push' && this.#hasAdded);
  }

  get #hasAdded(): boolean {
    return this.snapshot?.registries.some(({ spec }) => spec.name === this.welcome.added) ?? false;
  }

  endWelcome(): void {
    this.welcome.end();
  }

  async start(): Promise<void> {
    try {
      await this.#backend.listen({
        event: (event) => this.#enqueue(event),
        drop: (drop) => this.#dragged(drop),
        wished: () => void this.#takeWish(),
      });
      await this.#asksWhoTells();
      await this.#refresh();
      this.demoSample = await this.#backend.demoSample();
      await this.#takeWish();
    } catch (thrown) {
      this.broken = toUiError(thrown);
    }
  }

  /** Shows what was chosen in the tray; a dialog that is open already stays. */
  async #takeWish(): Promise<void> {
    const wish = await this.#backend.takeWish();
    if (wish === 'setup') this.dialog ??= { kind: 'setup', action: 'apply', registry: null };
    else if (typeof wish === 'object' && wish !== null)
      this.onDrop({ kind: 'drop', paths: wish.archives.paths, x: -1, y: -1 });
    else if (wish !== null) this.go(wish);
  }

  /** Opens the page about the newer version in the person's browser; throws a `UiError`. */
  async openRelease(): Promise<void> {
    try {
      await this.#backend.openRelease();
    } catch (thrown) {
      throw toUiError(thrown);
    }
  }

  /** Asks again after `broken`. */
  async retry(): Promise<void> {
    try {
      await this.#refresh();
      this.broken = null;
    } catch (thrown) {
      this.broken = toUiError(thrown);
    }
  }

  /** Carries out a command; throws a `UiError`. */
  async request(command: Command): Promise<Reply> {
    try {
      return await this.#backend.dispatch(command);
    } catch (thrown) {
      throw toUiError(thrown);
    }
  }

  /** Carries out a command whose failure has no better place than the notice line. */
  async attempt(command: Command): Promise<boolean> {
    try {
      await this.#backend.dispatch(command);
      return true;
    } catch (thrown) {
      this.fail(toUiError(thrown));
      return false;
    }
  }

  go(view: View): void {
    this.view = view;
  }

  /** Closes the dialog. Handed to buttons as it is. */
  readonly close = (): void => {
    this.dialog = null;
  };

  /** Shows what is in a registry. */
  lookInside(registry: RegistryName): void {
    this.inside = registry;
    this.view = 'contents';
  }

  /** Shows the proof of the way to a registry. */
  check(registry: RegistryName | null): void {
    this.checked = registry;
    this.checkNow = true;
    this.view = 'doctor';
  }

  /** The platform's dialog for a file that there is; null if it was closed, or could not be shown. */
  chooseFile(wanted: Wanted, title: string): Promise<string | null> {
    return this.#choose(() => this.#backend.chooseFile(wanted, title));
  }

  /** The platform's dialog for a file that is to be. */
  chooseSave(name: string, title: string): Promise<string | null> {
    return this.#choose(() => this.#backend.chooseSave(name, title));
  }

  /** Writes the team file where the person says; throws a `UiError`. */
  async saveTeamFile(title: string): Promise<string | null> {
    try {
      return await this.#backend.saveTeamFile(title);
    } catch (thrown) {
      throw toUiError(thrown);
    }
  }

  async #choose(dialog: () => Promise<string | null>): Promise<string | null> {
    try {
      return await dialog();
    } catch (thrown) {
      this.fail(toUiError(thrown));
      return null;
    }
  }

  fail(error: UiError): void {
    if (error.code === 'cancelled') return; // the person did that
    const { lead, message } = saidError(error);
    const text = lead === null ? message.text : `${lead} ${message.text}`;
    const hint = error.hint ? saidPlainly(error.hint) : null;
    this.notice = { tone: 'error', text, hint, code: error.code };
    this.speak(hint === null ? text : `${text} ${hint}`);
  }

  say(text: string): void {
    this.notice = { tone: 'info', text };
    this.speak(text);
  }

  /** Tells a screen reader. What comes at once is said together, since the next thing said cuts the last one off. */
  speak(text: string, instead = ''): void {
    // What is out of date before it was said stays unsaid.
    this.#words = this.#words.filter((words) => words.text !== instead);
    this.#say(text, false);
  }

  /**
   * Tells what the page has, and what a reader does not get from WebKitGTK. Said only where the shell does the telling; all
   * others read it on the page.
   */
  tell(text: string): void {
    this.#say(text, true);
  }

  #say(text: string, onPage: boolean): void {
    if (text === '' || this.#words.some((words) => words.text === text)) return;
    this.#words.push({ text, onPage });
    if (this.#uttering) return;
    this.#uttering = true;
    setTimeout(() => void this.#utter(), CALM);
  }

  /** Nothing to say asks who would say it. */
  async #asksWhoTells(): Promise<void> {
    try {
      this.heard = await this.#backend.announce('');
    } catch {
      this.heard = false;
    }
  }

  async #utter(): Promise<void> {
    const words = this.#words;
    this.#words = [];
    this.#uttering = false;
    const all = sentences(words.map(({ text }) => text));
    try {
      this.heard = await this.#backend.announce(all);
    } catch {
      // A shell that cannot: the page does it.
      this.heard = false;
    }
    const text = sentences(words.flatMap(({ text, onPage }) => (onPage ? [] : [text])));
    if (text === '') return;
    this.spoken = text;
    this.said += 1;
  }

  #dragged(drop: Drop): void {
    if (drop.kind === 'drop') {
      this.drag = null;
      this.onDrop(drop);
    } else if (drop.kind === 'leave') {
      this.drag = null;
    } else {
      // WebKit tells the paths on entering only.
      this.drag = { ...drop, paths: drop.paths.length > 0 ? drop.paths : (this.drag?.paths ?? []) };
    }
  }

  // The first event is shown with the next frame; a storm of them becomes one redraw each `CALM`.
  #enqueue(event: Told): void {
    this.#queue.push(event);
    if (this.#flushing) return;
    this.#flushing = true;
    const flush = () => {
      this.#flushing = false;
      this.#lastFlush = performance.now();
      this.#flush();
    };
    const wait = this.#lastFlush + CALM - performance.now();
    // A hidden page gets no frames; it must not grow a queue for hours instead.
    if (wait > 0 || document.visibilityState === 'hidden') setTimeout(flush, Math.max(wait, 0));
    else requestAnimationFrame(flush);
  }

  #flush(): void {
    const events = this.#queue;
    this.#queue = [];
    this.#sinceAsked?.push(...events);
    const before = this.snapshot;
    if (!before) return; // `#refresh` picks them up from `#sinceAsked`
    let gap = false;
    let after = before;
    for (const event of events) {
      gap ||= order(after, event) === 'gap';
      after = reduce(after, event);
      if (event.change.kind === 'usage') {
        const { progress } = event.change;
        this.usage = new Map(this.usage).set(progress.registry, progress);
      }
    }
    this.#show(before, after);
    if (gap && Date.now() >= this.#nextGapSnapshot && !this.#sinceAsked) {
      this.#nextGapSnapshot = Date.now() + GAP_PAUSE;
      this.#refresh().catch((thrown: unknown) => this.fail(toUiError(thrown)));
    }
  }

  async #refresh(): Promise<void> {
    this.#sinceAsked = [...this.#queue];
    this.#queue = [];
    try {
      const reply = await this.#backend.dispatch({ kind: 'snapshot' });
      if (reply.kind !== 'snapshot') {
        throw {
          code: 'internal',
          message: `A snapshot was asked for and “${reply.kind}” came.`,
        } satisfies UiError;
      }
      this.#show(this.snapshot, this.#sinceAsked.reduce(reduce, reply.snapshot));
    } finally {
      this.#sinceAsked = null;
    }
  }

  #show(before: Snapshot | null, after: Snapshot): void {
    if (before === after) return;
    if (before?.transfers !== after.transfers) {
      this.shown = new Map(
        after.transfers.flatMap((transfer) => {
          const share = fraction(transfer, this.shown.get(transfer.id) ?? null);
          return share === null ? [] : [[transfer.id, share] as const];
        }),
      );
    }
    if (before?.transfers !== after.transfers) this.overall = overall(after.transfers, this.overall);
    this.snapshot = after;
    // The registry whose first push was still to come may be gone since.
    if (!before && this.welcome.step === 'push' && !this.#hasAdded) this.endWelcome();
    if (before?.settings !== after.settings) this.#follow(after);
    if (before?.registries !== after.registries) this.rates.follow(() => this.snapshot?.registries ?? []);
    const news = before ? announcements(before, after) : [];
    if (news.length > 0) this.speak(news.join(' '));
  }

  /** The window looks as the settings say, whoever changed them. */
  #follow({ settings }: Snapshot): void {
    theme.choose(settings.theme);
    language.choose(settings.language);
    text.choose(settings.textPercent);
  }
}
