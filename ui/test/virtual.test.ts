// Long lists: only what is in sight is in the page, in the place where it belongs. jsdom lays nothing out, so the test
// says how high things are and where one has scrolled to.

import { fireEvent, waitFor } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { image, registry, snapshot } from '../src/mock/words';
import { open } from './owner';

const ROW = 40;
const VIEW = 600;
let scrolled = 0;

beforeEach(() => {
  scrolled = 0;
  vi.spyOn(Element.prototype, 'getBoundingClientRect').mockImplementation(function (this: Element) {
    const at = (top: number, height: number) => new DOMRect(0, top, 800, height);
    if (this.tagName === 'MAIN') return at(0, VIEW);
    if (this.hasAttribute('data-virtual-row')) return at(0, ROW);
    return at(-scrolled, 0);
  });
});
afterEach(() => vi.restoreAllMocks());

const scroll = async (to: number) => {
  scrolled = to;
  await fireEvent.scroll(document.querySelector('main')!);
};

test('of 10,000 tags, those in sight are drawn, and the others are room', async () => {
  const { owner, store, screen, user } = await open(
    snapshot({ registries: [registry('cr.boss.org', { kind: 'idle' })] }),
  );
  const tags = Array.from({ length: 10_000 }, (_, n) => `v${n}`);
  owner.answers['look'] = (command) => {
    const { look } = command as Extract<typeof command, { kind: 'look' }>;
    const names = look.kind === 'tags' ? tags : ['app'];
    const kind = look.kind === 'tags' ? 'tags' : 'repositories';
    return { kind: 'contents', contents: { kind, page: { names, next: null } } };
  };
  store.lookInside('cr.boss.org');
  await user.click(await screen.findByTestId('repository-row'));
  const drawn = () => screen.getAllByTestId('tag-row').map((row) => row.dataset['name']);
  await waitFor(() => expect(drawn()).toContain('v0'));
  expect(drawn().length).toBeLessThan(60);
  const list = screen.getByRole('list', { name: 'Tags' });
  const height = () =>
    [...list.children].reduce(
      (sum, row) =>
        sum +
        (row.hasAttribute('data-virtual-row') ? ROW : Number.parseFloat((row as HTMLElement).style.height)),
      0,
    );
  await waitFor(() => expect(height()).toBe(10_000 * ROW));

  await scroll(5_000 * ROW);
  await waitFor(() => expect(drawn()).toContain('v5000'));
  expect(drawn()).not.toContain('v0');
  expect(drawn().length).toBeLessThan(60);
  expect(height(), 'the scroll bar stays true').toBe(10_000 * ROW);
  const row = screen.getAllByTestId('tag-row').find((one) => one.dataset['name'] === 'v5000')!.parentElement!;
  expect([row.getAttribute('aria-posinset'), row.getAttribute('aria-setsize')]).toEqual(['5001', '10000']);

  await user.type(screen.getByTestId('tag-filter'), 'v777');
  await scroll(0);
  await waitFor(() => expect(drawn()[0]).toBe('v777'));
});

test('of 500 images, too; and the one with the focus stays wherever one scrolls', async () => {
  const images = Array.from({ length: 500 }, (_, n) => image(n, [`app-${n}:v1`], 1_000, n));
  const { screen, user } = await open(
    snapshot({
      registries: [registry('cr.boss.org', { kind: 'idle' })],
      engine: { state: { kind: 'ready', name: 'Docker' }, images },
    }),
  );
  await user.click(screen.getByTestId('nav-images'));
  const drawn = () => screen.getAllByTestId('image-row').map((row) => row.dataset['image']);
  expect(screen.getByRole('table').getAttribute('aria-rowcount')).toBe('501');
  await waitFor(() => expect(drawn().length).toBeLessThan(60));
  screen.getAllByTestId('push')[2]!.focus();
  await scroll(300 * ROW);
  await waitFor(() => expect(drawn()).toContain('app-300:v1'));
  expect(drawn()[0]).toBe('app-2:v1');
  expect(drawn()).not.toContain('app-1:v1');
  expect((document.activeElement as HTMLElement).getAttribute('aria-label')).toBe('Push app-2:v1');
});

test('rows that are lower while fewer are drawn come to rest', async () => {
  // As a table whose columns get narrower with what is drawn: with ten rows, eight fill the window; with eight, they do not.
  vi.mocked(Element.prototype.getBoundingClientRect).mockImplementation(function (this: Element) {
    if (this.tagName === 'MAIN') return new DOMRect(0, 0, 800, VIEW);
    if (!this.hasAttribute('data-virtual-row')) return new DOMRect(0, 0, 800, 0);
    return new DOMRect(0, 0, 800, document.querySelectorAll('[data-virtual-row]').length > 8 ? 130 : 60);
  });
  const images = Array.from({ length: 10 }, (_, n) => image(n, [`app-${n}:v1`], 1_000, n));
  const { screen, user } = await open(
    snapshot({
      registries: [registry('cr.boss.org', { kind: 'idle' })],
      engine: { state: { kind: 'ready', name: 'Docker' }, images },
    }),
  );
  await user.click(screen.getByTestId('nav-images'));
  await waitFor(() => expect(screen.getAllByTestId('image-row')).toHaveLength(10));
  let changes = 0;
  const watch = new MutationObserver(() => (changes += 1));
  watch.observe(document.querySelector('tbody')!, { childList: true });
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  watch.disconnect();
  expect(changes).toBe(0);
  await user.click(screen.getAllByTestId('push')[9]!);
  expect(screen.getByTestId('push-dialog')).toBeTruthy();
});

test('the arrows go from row to row, and End to one that was never drawn', async () => {
  const images = Array.from({ length: 500 }, (_, n) => image(n, [`app-${n}:v1`], 1_000, n));
  const { screen, user } = await open(
    snapshot({
      registries: [registry('cr.boss.org', { kind: 'idle' })],
      engine: { state: { kind: 'ready', name: 'Docker' }, images },
    }),
  );
  await user.click(screen.getByTestId('nav-images'));
  const focused = () => (document.activeElement as HTMLElement).getAttribute('aria-label');
  screen.getAllByTestId('push')[0]!.focus();
  const press = async (key: string, image: string) => {
    await user.keyboard(`{${key}}`);
    await waitFor(() => expect(focused()).toBe(`Push ${image}`));
  };
  await press('ArrowDown', 'app-1:v1');
  await press('PageDown', 'app-11:v1');
  await press('ArrowUp', 'app-10:v1');
  await press('End', 'app-499:v1');
  await press('ArrowDown', 'app-499:v1');
  await press('Home', 'app-0:v1');
  // The same control of the next row; and on the menu's own button the arrows are the menu's.
  screen.getAllByTestId('image-more')[0]!.focus();
  await user.keyboard('{End}');
  await waitFor(() => expect(focused()).toBe('More for app-499:v1'));
});
