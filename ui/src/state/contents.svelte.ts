// What is in one registry, asked for piece by piece as a person looks: pages of names, then one image.

import { toUiError } from '../backend/backend';
import type { Contents } from '../generated/Contents';
import type { Look } from '../generated/Look';
import type { ManifestView } from '../generated/ManifestView';
import type { ReferrerView } from '../generated/ReferrerView';
import type { RegistryName } from '../generated/RegistryName';
import type { RegistryUsage } from '../generated/RegistryUsage';
import type { UiError } from '../generated/UiError';
import type { Store } from './store.svelte';

/** Names that came page by page. */
export class Names {
  names = $state.raw<readonly string[]>([]);
  /** What the next page is asked for with; null at the end, undefined before the first. */
  next = $state.raw<string | null | undefined>(undefined);
  busy = $state(false);
  error = $state.raw<UiError | null>(null);

  readonly #ask: (after: string | null) => Promise<{ names: string[]; next: string | null }>;

  constructor(ask: (after: string | null) => Promise<{ names: string[]; next: string | null }>) {
    this.#ask = ask;
  }

  /** Asks for one more page. */
  more = async (): Promise<void> => {
    if (this.busy || this.next === null) return;
    this.busy = true;
    this.error = null;
    try {
      const page = await this.#ask(this.next ?? null);
      this.names = [...this.names, ...page.names];
      this.next = page.next;
    } catch (thrown) {
      this.error = toUiError(thrown);
    } finally {
      this.busy = false;
    }
  };

  /** Begins anew; what is shown stays until the first page is there. */
  async again(): Promise<void> {
    this.next = undefined;
    this.names = [];
    await this.more();
  }
}

/** Which image of a registry, as it was asked for. */
export interface ImageName {
  repository: string;
  /** A tag or a digest. */
  reference: string;
}

/** One image with everything around it. */
export interface Detail {
  manifest: ManifestView;
  referrers: ReferrerView[];
}

export class Inside {
  readonly registry: RegistryName;
  readonly repositories: Names;
  tags = $state.raw<Names | null>(null);
  repository = $state<string | null>(null);
  reference = $state<string | null>(null);
  detail = $state.raw<Detail | null>(null);
  detailError = $state.raw<UiError | null>(null);
  usage = $state.raw<RegistryUsage | null>(null);
  usageError = $state.raw<UiError | null>(null);
  measuring = $state(false);

  readonly #store: Store;
  /** Which image was asked for last: an answer for an earlier one is late, even if it is called the same elsewhere. */
  #asked = 0;

  constructor(store: Store, registry: RegistryName) {
    this.#store = store;
    this.registry = registry;
    this.repositories = new Names((after) => this.#page({ kind: 'repositories', after, limit: null }));
    void this.repositories.more();
  }

  openRepository(repository: string): void {
    this.#asked += 1;
    this.repository = repository;
    this.reference = null;
    this.detail = null;
    this.detailError = null;
    this.tags = new Names((after) => this.#page({ kind: 'tags', repository, after, limit: null }));
    void this.tags.more();
  }

  async openImage(reference: string): Promise<void> {
    const repository = this.repository;
    if (repository === null) return;
    const asked = (this.#asked += 1);
    this.reference = reference;
    this.detail = null;
    this.detailError = null;
    try {
      const contents = await this.look({ kind: 'manifest', repository, reference });
      if (this.#asked !== asked || contents.kind !== 'manifest') return;
      const { manifest } = contents;
      this.detail = { manifest, referrers: [] };
      const referrers = await this.look({ kind: 'referrers', repository, digest: manifest.digest });
      if (this.#asked === asked && referrers.kind === 'referrers') {
        this.detail = { manifest, referrers: referrers.referrers };
      }
    } catch (thrown) {
      // Without referrers there is still the image itself.
      if (this.#asked === asked && !this.detail) this.detailError = toUiError(thrown);
    }
  }

  /** One level up. */
  up(): void {
    this.#asked += 1;
    if (this.reference !== null) {
      this.reference = null;
      this.detail = null;
      this.detailError = null;
    } else {
      this.repository = null;
      this.tags = null;
    }
  }

  /** After an image was deleted: its tags anew if they are open, and back to them from it. Returns whether it was shown. */
  deleted({ repository, reference }: ImageName): boolean {
    if (this.repository !== repository) return false;
    const shown = this.reference === reference;
    if (shown) this.up();
    void this.tags?.again();
    return shown;
  }

  async measure(): Promise<void> {
    this.measuring = true;
    this.usageError = null;
    try {
      const contents = await this.look({ kind: 'usage' });
      if (contents.kind === 'usage') this.usage = contents.usage;
    } catch (thrown) {
      this.usageError = toUiError(thrown);
    } finally {
      this.measuring = false;
    }
  }

  /** Asks the owner; throws a `UiError`. */
  async look(look: Look): Promise<Contents> {
    const reply = await this.#store.request({ kind: 'look', registry: this.registry, look });
    if (reply.kind !== 'contents') throw toUiError(new Error(`“${reply.kind}” instead of contents`));
    return reply.contents;
  }

  async #page(look: Look): Promise<{ names: string[]; next: string | null }> {
    const contents = await this.look(look);
    if (contents.kind === 'repositories' || contents.kind === 'tags') return contents.page;
    throw toUiError(new Error(`“${contents.kind}” instead of names`));
  }
}
