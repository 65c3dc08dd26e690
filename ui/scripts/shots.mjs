// Pictures of every state into ui/shots: views in every look (light, dark, narrow, with text twice as large, in both
// languages), dialogs in the few that have each property once. `npm run shots -- PATTERN` takes what matches, in all;
// `npm run shots -- --short` is a quick look: everything in Dutch, dark and narrow, views with large text as well.
// Serves the built window under the same content security policy as the app, and fails if anything breaks it, if axe-core
// finds something, or if something cannot be read or reached.

import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { chromium } from 'playwright-core';
import { preview } from 'vite';
import axe from 'axe-core';

const isShort = process.argv[2] === '--short';
const pattern = isShort || process.argv[2] === undefined ? null : new RegExp(process.argv[2]);
const folder = new URL('../shots/', import.meta.url).pathname;
const flaws = await readFile(new URL('flaws.js', import.meta.url), 'utf8');
const server = await preview({ preview: { port: 1421 }, logLevel: 'error' });
const origin = 'http://localhost:1421';
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
await mkdir(folder, { recursive: true });

const click = (testid) => (page) => page.getByTestId(testid).first().click();
const go = (view) => click(`nav-${view}`);
const drag =
  (paths, kind = 'enter', x = 450, y = 200) =>
  (page) =>
    page.evaluate((detail) => window.dispatchEvent(new CustomEvent('mock-drop', { detail })), {
      kind,
      paths,
      x,
      y,
    });

/** name: [query, steps…] */
const scenes = {
  registries: ['mock=full'],
  images: ['mock=full', go('images')],
  'images-search': ['mock=full', go('images'), (p) => p.getByTestId('image-search').fill('shop 2.4')],
  'images-no-match': ['mock=full', go('images'), (p) => p.getByTestId('image-search').fill('nonsense')],
  transfers: ['mock=full', go('transfers')],
  'empty-registries': ['mock=empty'],
  'empty-images': ['mock=empty', go('images')],
  'empty-transfers': ['mock=empty', go('transfers')],
  'failing-registries': ['mock=failing'],
  'failing-images': ['mock=failing', go('images')],
  'failing-transfers': [
    'mock=failing',
    go('transfers'),
    (p) => p.getByTestId('transfer-details').locator('summary').click(),
    (p) => p.getByTestId('toggle-layers').first().click(),
  ],
  'many-registries': ['mock=many'],
  'many-images': ['mock=many', go('images')],
  'many-transfers': ['mock=many', go('transfers')],
  contents: ['mock=full', click('look-inside'), (p) => p.getByTestId('repository-row').first().waitFor()],
  'contents-tags': [
    'mock=full',
    click('look-inside'),
    (p) => p.locator('[data-name="shop/api"]').click(),
    (p) => p.getByTestId('tag-row').first().waitFor(),
  ],
  'contents-image': [
    'mock=full',
    click('look-inside'),
    (p) => p.locator('[data-name="shop/api"]').click(),
    (p) => p.locator('[data-name="2.4.1"]').click(),
    (p) => p.getByTestId('blob-row').first().waitFor(),
  ],
  'contents-platforms': [
    'mock=full',
    click('look-inside'),
    (p) => p.locator('[data-name="shop/api"]').click(),
    (p) => p.locator('[data-name="latest"]').click(),
    (p) => p.getByTestId('platform-row').first().waitFor(),
  ],
  'contents-usage': [
    'mock=full',
    click('look-inside'),
    click('measure-usage'),
    (p) => p.getByTestId('usage-total').waitFor(),
    (p) => p.getByTestId('usage').scrollIntoViewIfNeeded(),
  ],
  collect: [
    'mock=full',
    click('look-inside'),
    click('collect-open'),
    (p) => p.getByTestId('collect-plan').waitFor(),
  ],
  'collect-done': [
    'mock=full',
    click('look-inside'),
    click('collect-open'),
    (p) => p.getByTestId('collect-plan').waitFor(),
    click('collect-submit'),
    (p) => p.getByTestId('collect-done').waitFor(),
  ],
  'contents-delete': [
    'mock=full',
    click('look-inside'),
    (p) => p.locator('[data-name="shop/api"]').click(),
    (p) => p.locator('[data-name="latest"]').click(),
    click('delete-image'),
    (p) => p.getByTestId('delete-account').waitFor(),
  ],
  'many-contents': [
    'mock=many',
    click('look-inside'),
    (p) => p.getByTestId('repository-row').first().waitFor(),
  ],
  doctor: ['mock=full', go('doctor')],
  'empty-doctor': ['mock=empty', go('doctor')],
  'doctor-running': [
    'mock=full',
    go('doctor'),
    click('doctor-start'),
    (p) => p.locator('[data-link="host-key"][data-state="passed"]').waitFor(),
  ],
  'doctor-done': [
    'mock=full',
    go('doctor'),
    click('doctor-start'),
    (p) => p.locator('[data-testid="doctor-summary"][data-state="passed"]').waitFor(),
  ],
  'doctor-failing': [
    'mock=full&broken',
    go('doctor'),
    click('doctor-start'),
    (p) => p.locator('[data-testid="doctor-summary"][data-state="failed"]').waitFor(),
    (p) => p.getByTestId('doctor-copy').waitFor(),
  ],
  settings: ['mock=full', go('settings'), (p) => p.getByTestId('set-engine').waitFor()],
  'welcome-filled': ['mock=empty', click('proposal')],
  'welcome-test': [
    'mock=empty',
    click('proposal'),
    click('welcome-test'),
    (p) => p.getByTestId('welcome-summary').waitFor(),
  ],
  'welcome-push': [
    'mock=empty',
    click('proposal'),
    click('welcome-test'),
    (p) => p.getByTestId('welcome-summary').waitFor(),
    click('welcome-add'),
    (p) => p.getByTestId('welcome-done').waitFor(),
  ],
  palette: ['mock=full', (p) => p.keyboard.press('Control+k')],
  'palette-search': ['mock=full', (p) => p.keyboard.press('Control+k'), (p) => p.keyboard.type('push')],
  shortcuts: ['mock=full', (p) => p.keyboard.press('?')],
  'registry-menu': ['mock=full', click('more')],
  edit: ['mock=full', click('more'), click('edit')],
  login: ['mock=full', click('more'), click('login'), (p) => p.getByTestId('login-state').waitFor()],
  team: ['mock=full', click('team-open'), (p) => p.getByTestId('team-text').waitFor()],
  'team-in': ['mock=full', click('team-open'), click('team-in')],
  'pull-file': ['mock=full', go('images'), click('pull'), click('pull-into-file')],
  carry: [
    'mock=full',
    go('images'),
    async (p) => {
      await p
        .getByTestId('image-row')
        .first()
        .hover({ position: { x: 60, y: 12 } });
      await p.mouse.down();
      await p.mouse.move(300, 300);
      await p.locator('[data-carry-registry]').first().hover();
    },
  ],
  demo: ['mock=full&sample'],
  add: ['mock=full', click('add-registry')],
  'add-several': [
    'mock=full',
    click('add-registry'),
    click('add-advanced'),
    (p) => p.getByTestId('add-fallbacks').fill('b.boss.org, c.boss.org'),
  ],
  'add-options': ['mock=full', click('add-registry'), click('add-advanced')],
  'add-direct': [
    'mock=full',
    click('add-registry'),
    click('add-advanced'),
    (p) => p.getByTestId('add-url').fill('https://nexus.boss.org:8443'),
  ],
  'many-direct': ['mock=many', (p) => p.getByTestId('registry-url').scrollIntoViewIfNeeded()],
  'many-images-end': [
    'mock=many',
    go('images'),
    (p) => p.locator('main').evaluate((main) => main.scrollTo(0, main.scrollHeight / 2)),
    (p) => p.locator('[data-image="team5/service-250:1.250.0"]').waitFor(),
  ],
  'image-menu': ['mock=full', go('images'), click('image-more')],
  ship: ['mock=full', go('images'), click('image-more'), click('ship')],
  copy: [
    'mock=full',
    click('look-inside'),
    (p) => p.locator('[data-name="shop/api"]').click(),
    (p) => p.locator('[data-name="2.4.1"]').click(),
    click('copy-image'),
  ],
  'push-more': ['mock=full', go('images'), click('push'), click('push-more')],
  'team-submitd': [
    'mock=full',
    click('team-open'),
    click('team-submit'),
    (p) => p.getByTestId('team-written').waitFor(),
  ],
  offer: ['mock=full', click('offer-registry')],
  'add-errors': [
    'mock=full',
    click('add-registry'),
    click('add-advanced'),
    (p) => p.getByTestId('add-name').fill('registry'),
    (p) => p.getByTestId('add-ssh').fill('me@'),
    (p) => p.getByTestId('add-port').fill('99999'),
    click('add-submit'),
  ],
  push: ['mock=full', go('images'), click('push')],
  pull: [
    'mock=full',
    go('images'),
    click('pull'),
    (p) => p.getByTestId('pull-reference').fill('docker pull cr.boss.org/shop/api'),
  ],
  archive: ['mock=full', go('images'), click('push-archive')],
  setup: ['mock=full', click('fix-hosts'), (p) => p.getByTestId('setup-diff').first().waitFor()],
  'setup-nothing': [
    'mock=full&setup=satisfied',
    click('setup-open'),
    (p) => p.getByTestId('setup-applied').waitFor(),
  ],
  'setup-refused': [
    'mock=full&setup=refused',
    click('setup-open'),
    (p) => p.getByTestId('setup-refused').waitFor(),
  ],
  'setup-restart': [
    'mock=full&setup=failing',
    click('setup-open'),
    (p) => p.getByTestId('setup-stops').scrollIntoViewIfNeeded(),
  ],
  'setup-busy': [
    'mock=full',
    click('setup-open'),
    click('setup-apply'),
    (p) => p.getByTestId('setup-progress').waitFor(),
  ],
  'setup-done': [
    'mock=full',
    click('setup-open'),
    click('setup-apply'),
    (p) => p.getByTestId('setup-summary').waitFor(),
  ],
  'setup-failing': [
    'mock=full&setup=failing',
    click('setup-open'),
    click('setup-apply'),
    (p) => p.getByTestId('setup-check-failed').waitFor(),
  ],
  'setup-undo': [
    'mock=full&setup=satisfied',
    click('setup-open'),
    click('setup-undo-all'),
    (p) => p.getByTestId('setup-diff').first().waitFor(),
  ],
  disconnect: ['mock=full', click('disconnect')],
  remove: ['mock=full', click('remove')],
  'prompt-host-key': ['mock=full&prompt=host-key'],
  'prompt-passphrase': ['mock=full&prompt=passphrase'],
  'prompt-password': ['mock=full&prompt=password'],
  'drop-card': ['mock=full', drag(['/home/you/app.tar'])],
  'drop-window': ['mock=full', drag(['/home/you/app.tar'], 'enter', 5, 5)],
  'drop-refused': ['mock=full', drag(['/home/you/holiday.jpg'])],
  'drop-refused-after': ['mock=full', drag(['/home/you/holiday.jpg'], 'drop')],
  'drop-choose': ['mock=full', drag(['/home/you/app.tar', '/home/you/web.tar.gz'], 'drop', 5, 5)],
};

/** What is no view by itself: a dialog, a question, a menu, something carried. */
const passing =
  /^(add|archive|carry|collect|contents-delete|copy|demo|disconnect|drop|edit|image-menu|login|offer|palette|prompt|pull|push|registry-menu|remove|setup|ship|shortcuts|team)/;

/** `each`: has some of the properties once, so that the looks with it have all of them together. */
const looks = [
  { look: 'light', colorScheme: 'light', viewport: { width: 940, height: 680 }, axe: true },
  { look: 'dark', colorScheme: 'dark', viewport: { width: 940, height: 680 }, axe: true, each: true },
  { look: 'dutch', locale: 'nl-NL', colorScheme: 'light', viewport: { width: 940, height: 680 } },
  {
    look: 'dutch-narrow',
    locale: 'nl-NL',
    colorScheme: 'dark',
    viewport: { width: 420, height: 720 },
    axe: true,
    each: true,
    short: 'all',
  },
  { look: 'narrow', colorScheme: 'light', viewport: { width: 420, height: 720 } },
  { look: 'wide', colorScheme: 'dark', viewport: { width: 1600, height: 900 }, asked: true },
  // Text at 200 %, as a person sets it in their system (WCAG 2.2, 1.4.4).
  {
    look: 'large',
    text: '200%',
    colorScheme: 'light',
    viewport: { width: 940, height: 900 },
    each: true,
    short: 'views',
  },
];

const complaints = new Set();
function isWanted(name, { look, asked, each, short }) {
  const isView = !passing.test(name);
  if (isShort) return short === 'all' || (short === 'views' && isView);
  return pattern ? pattern.test(`${name}.${look}`) : !asked && (each || isView);
}
const wanted = looks.flatMap((look) =>
  Object.keys(scenes)
    .filter((name) => isWanted(name, look))
    .map((name) => ({ name, look })),
);

/** Takes one picture, and looks at it as far as a machine can. */
async function take(page, name, { look, text, axe: asksAxe }) {
  const complain = (what) => complaints.add(`${name}.${look}: ${what}`);
  const [query, ...steps] = scenes[name];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complain(message.text());
  });
  page.on('pageerror', complain);
  await page.goto(`${origin}/?${query}`);
  await page.locator('[data-testid="app"][data-ready="true"]').waitFor();
  if (text)
    await page.evaluate((size) => document.documentElement.style.setProperty('font-size', size), text);
  try {
    for (const step of steps) await step(page);
  } catch (error) {
    complain(String(error).split('\n')[0]);
  }
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  for (const flaw of await page.evaluate(`${flaws}\nflaws()`)) complain(flaw);
  await page.screenshot({ path: `${folder}${name}.${look}.png` });
  // Roles and names are the same in every look; contrast differs with the theme, and order with the width.
  if (asksAxe) {
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }));
    for (const { id, nodes } of violations)
      complain(`axe ${id}: ${nodes.map(({ target }) => target.join(' ')).join(' | ')}`);
  }
  page.removeAllListeners();
  // The next scene begins anew, with nothing kept and nothing pressed.
  await page.mouse.up();
  await page.mouse.move(0, 0);
  await page.evaluate(() => localStorage.clear());
}

/** Takes what is left, one after the other. */
async function work() {
  const pages = new Map();
  for (let next = wanted.shift(); next; next = wanted.shift()) {
    const { name, look } = next;
    if (!pages.has(look)) pages.set(look, await open(look));
    await take(pages.get(look), name, look);
  }
}

async function open({ colorScheme, viewport, locale = 'en-US' }) {
  const context = await browser.newContext({ colorScheme, viewport, locale, reducedMotion: 'reduce' });
  await context.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  return page;
}

const count = wanted.length;
await Promise.all(Array.from({ length: availableParallelism() }, work));
await browser.close();
await server.close();
console.log(complaints.size === 0 ? `${count} pictures are in ${folder}` : [...complaints].join('\n'));
process.exitCode = complaints.size === 0 ? 0 : 1;
