// The window's one store. Events go through the reducer here and nowhere else; views read, and call `request`.

import { toUiError, type Backend, type Drop, type Told, type View, type Wanted } from '../backend/backend';
import type { Command } from '../generated/Command';
import type { RegistryName } from '../generated/RegistryName';
import type { Reply } from '../generated/Reply';
import type { Snapshot } from '../generated/Snapshot';
import type { UiError } from '../generated/UiError';
import type { UsageProgress } from '../generated/UsageProgress';
import { saidPlainly } from '../sentences/sentences';
import { t } from '../strings';
import { announcements } from './announce';
import type { OpenDialog } from './dialog';
import { Elsewhere } from './elsewhere';
import { overall, type Overall } from './groups';
import { Rates } from './rates.svelte';
import { language } from './language.svelte';
import { order, reduce } from './reducer';
import type { Remedy } from './remedy';
import { hints, plainly, reasons, summary, type Refused } from './refused';
import { text } from './text.svelte';
import { theme } from './theme.svelte';
import { Welcome } from './welcome.svelte';
import { Wishes } from './wishes';

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
  /** The one button that helps. */
  remedy?: Remedy | null;
}

/** One after the other, so that no two are heard as one. */
function sentences(words: string[]): string {
  return words
    .map((text, at) => (at + 1 < words.length ? text.replace(/[\p{L}\p{N}”)]$/u, '$&.') : text))
    .join(' ');
}

export class Store {
  snapshot = $state.raw<Snapshot | null>(null);
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
  #dialog = $state.raw<OpenDialog | null>(null);
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

  /** What waits for its turn. */
  readonly wishes: Wishes;
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
  readonly #elsewhere = new Elsewhere(this);

  constructor(backend: Backend) {
    this.#backend = backend;
    this.welcome = new Welcome(this);
    this.wishes = new Wishes(this, backend);
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
        wished: () => void this.wishes.take(),
      });
      await this.#asksWhoTells();
    } catch (thrown) {
      this.broken = toUiError(thrown);
      return;
    }
    await this.retry();
  }

  /** Opens the page about the newer version in the person's browser; throws a `UiError`. */
  async openRelease(): Promise<void> {
    try {
      await this.#backend.openRelease();
    } catch (thrown) {
      throw toUiError(thrown);
    }
  }

  /** Asks for the state, again after `broken`, and for all that only makes sense with it. */
  async retry(): Promise<void> {
    try {
      await this.#refresh();
      this.broken = null;
      this.demoSample = await this.#backend.demoSample();
      await this.wishes.take();
    } catch (thrown) {
      this.broken = toUiError(thrown);
    }
  }

  /** Carries out a command; throws a `UiError`. */
  async request(command: Command): Promise<Reply> {
    try {
      const reply = await this.#backend.dispatch(command);
      this.welcome.sent(command);
      return reply;
    } catch (thrown) {
      if (command.kind === 'change-settings') this.follow();
      throw toUiError(thrown);
    }
  }

  /** Carries out a command whose failure has no better place than the notice line. */
  async attempt(command: Command): Promise<boolean> {
    try {
      await this.request(command);
      return true;
    } catch (thrown) {
      this.fail(toUiError(thrown));
      return false;
    }
  }

  go(view: View): void {
    this.view = view;
  }

  get dialog(): OpenDialog | null {
    return this.#dialog;
  }

  set dialog(dialog: OpenDialog | null) {
    this.#dialog = dialog;
    // Later, since what was chosen in one dialog may open the next.
    if (dialog === null) setTimeout(() => this.wishes.goOn());
  }

  /** Whether something is asked already, so that a wish that asks for more has to wait. */
  get isAsking(): boolean {
    return this.dialog !== null || (this.snapshot?.prompts.length ?? 0) > 0;
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
    return this.#choose(() => this.#backend.chooseFile(wanted, title, t.archive.filter));
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
    const hint = error.hint ? saidPlainly(error.hint) : null;
    this.warn({ tone: 'error', text: plainly(error), hint, code: error.code });
  }

  /** Says of several things that were asked for which were refused, and why; after what was said `before`. */
  failAll(refused: readonly Refused[], before: string | null = null): void {
    const all = reasons(refused.filter(({ error }) => error.code !== 'cancelled'));
    const [first] = all;
    if (!first) return;
    const text = summary(all, (names, count, why) => `${t.refused(names, count)} ${why}`);
    this.warn({
      tone: 'error',
      text: before === null ? text : `${before} ${text}`,
      hint: hints(all),
      code: first.error.code,
    });
  }

  /** Shows a notice, and says it. */
  warn(notice: Notice): void {
    this.notice = notice;
    this.speak(notice.hint == null ? notice.text : `${notice.text} ${notice.hint}`);
  }

  say(text: string): void {
    this.notice = { tone: 'info', text };
    this.speak(text);
  }

  /** Tells a screen reader. What comes at once is said together, since the next thing said cuts the last one off. */
  speak(text: string, instead = ''): void {
    // What is out of date before it was said stays unsaid.
    this.#words = this.#words.filter((words) => words.text !== instead);
    // Commands stand between backticks, which are for the eye.
    this.#say(text.replaceAll('`', ''), false);
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
      const { paths, folders } = drop.paths.length > 0 ? drop : (this.drag ?? drop);
      this.drag = { ...drop, paths, ...(folders === undefined ? {} : { folders }) };
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
    if (before?.transfers !== after.transfers) this.overall = overall(after.transfers, this.overall);
    this.snapshot = after;
    if (before && before.prompts.length > 0 && after.prompts.length === 0) this.wishes.goOn();
    // The registry whose first push was still to come may be gone since.
    if (!before && this.welcome.step === 'push' && !this.#hasAdded) this.endWelcome();
    this.welcome.arrived(before, after);
    if (before?.settings !== after.settings) this.follow();
    if (before?.registries !== after.registries) this.rates.follow(() => this.snapshot?.registries ?? []);
    const news = before ? announcements(before, after) : [];
    if (news.length > 0) this.speak(news.join(' '));
    if (before) this.#elsewhere.tell(before, after);
  }

  /** The window looks as the settings say, whoever changed them, and again when a change was refused. */
  follow(): void {
    const settings = this.snapshot?.settings;
    if (!settings) return;
    theme.choose(settings.theme);
    language.choose(settings.language);
    text.choose(settings.textPercent);
  }
}
