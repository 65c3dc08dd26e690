// Pictures of every state in every look (light, dark, narrow, wide, with text twice as large, in both languages) into
// ui/shots. `npm run shots -- PATTERN` takes what matches NAME.LOOK; `npm run shots -- --check`, which the test command
// runs, keeps pictures only of what is wrong, and looks at everything in the longer language: narrow and dark, with large
// text in the light, and both narrow and large. Fails if anything breaks the app's content security policy, if axe-core
// finds something or cannot tell a contrast, if something cannot be read or reached, or moves for somebody who asked for
// less motion.

import { mkdir, readFile, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { chromium } from 'playwright-core';
import { preview } from 'vite';
import axe from 'axe-core';
import { passing, scenes } from './scenes.mjs';

const argument = process.argv[2];
const checks = argument === '--check';
const pattern = checks || argument === undefined ? null : new RegExp(argument);
const all = { ...scenes, ...passing };

const usual = { width: 940, height: 680 };
const narrow = { width: 420, height: 720 };
const tall = { width: 940, height: 900 };
const slim = { width: 420, height: 1000 };
// Text at 200 %, as a person sets it in their system (WCAG 2.2, 1.4.4).
const large = '200%';
/** By language, since that is what a page begins with; the rest changes while it is open. */
const languages = {
  'en-US': [
    { look: 'light', colorScheme: 'light', viewport: usual },
    { look: 'dark', colorScheme: 'dark', viewport: usual },
    { look: 'narrow', colorScheme: 'light', viewport: narrow },
    { look: 'wide', colorScheme: 'dark', viewport: { width: 1600, height: 900 } },
    { look: 'large', colorScheme: 'dark', viewport: tall, text: large },
    { look: 'narrow-large', colorScheme: 'light', viewport: slim, text: large },
  ],
  'nl-NL': [
    { look: 'dutch', colorScheme: 'light', viewport: usual },
    { look: 'dutch-narrow', colorScheme: 'dark', viewport: narrow, check: true },
    { look: 'dutch-large', colorScheme: 'light', viewport: tall, text: large, check: true },
    { look: 'dutch-narrow-large', colorScheme: 'dark', viewport: slim, text: large, check: true },
  ],
};

/** What is to be taken: a scene in a language, and the looks it is taken in. */
const wanted = Object.entries(languages).flatMap(([locale, looks]) =>
  Object.keys(all)
    .map((name) => ({ name, locale, looks: looks.filter((look) => isWanted(name, look)) }))
    .filter(({ looks }) => looks.length > 0),
);

function isWanted(name, { look, check }) {
  return checks ? check : (pattern?.test(`${name}.${look}`) ?? true);
}

const folder = new URL('../shots/', import.meta.url).pathname;
const [flaws, violations] = await Promise.all(
  ['flaws.js', 'violations.js'].map((file) => readFile(new URL(file, import.meta.url), 'utf8')),
);
if (pattern === null) await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const server = await preview({ preview: { port: 0, strictPort: false }, logLevel: 'error' });
const [origin] = server.resolvedUrls.local;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});

const complaints = new Set();
let pictures = 0;

/** Goes to a scene, and looks at it in each look as far as a machine can. */
async function visit(page, { name, looks }) {
  let seen = name;
  const complain = (what) => complaints.add(`${seen}: ${what}`);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complain(message.text());
  });
  page.on('pageerror', complain);
  const [query, ...steps] = all[name];
  try {
    await wear(page, looks[0]);
    await page.goto(`${origin}?${query}`);
    // Where the core does not answer, there is never a first snapshot.
    if (!query.includes('refuse=snapshot'))
      await page.locator('[data-testid="app"][data-ready="true"]').waitFor();
    for (const step of steps) await step(page);
    await page.evaluate(axe.source);
    for (const look of looks) {
      seen = `${name}.${look.look}`;
      await wear(page, look);
      const found = await page.evaluate(`(async () => { ${flaws} ${violations}
        await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        const moving = document.getAnimations().map((animation) => \`moves: \${animation.animationName}\`);
        return [...flaws(), ...(await violations()), ...moving]; })()`);
      found.forEach(complain);
      if (!checks || found.length > 0) await page.screenshot({ path: `${folder}${seen}.png` });
      pictures += 1;
    }
  } catch (error) {
    complain(String(error).split('\n')[0]);
  }
  page.removeAllListeners();
  // The next scene begins anew, with nothing kept and nothing pressed.
  await page.mouse.up();
  await page.mouse.move(0, 0);
  await page.evaluate(() => localStorage.clear());
}

async function wear(page, { colorScheme, viewport, text = '' }) {
  await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
  await page.setViewportSize(viewport);
  await page.evaluate((size) => {
    document.documentElement.style.fontSize = size;
    // What is placed by hand, as a menu is, has to be placed anew; and it is looked at where the keyboard is.
    dispatchEvent(new Event('resize'));
    document.activeElement?.scrollIntoView({ block: 'nearest' });
  }, text);
}

/** Visits what is left, one after the other. */
async function work() {
  const pages = new Map();
  for (let next = wanted.shift(); next; next = wanted.shift()) {
    const { locale } = next;
    if (!pages.has(locale)) pages.set(locale, await open(locale));
    await visit(pages.get(locale), next);
  }
}

async function open(locale) {
  const context = await browser.newContext({ locale });
  await context.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  return page;
}

const began = performance.now();
await Promise.all(Array.from({ length: availableParallelism() }, work));
await browser.close();
await server.close();
const took = Math.round((performance.now() - began) / 1000);
console.log(
  [...complaints, `${pictures} looks in ${took} s, ${complaints.size} complaints; pictures: ${folder}`].join(
    '\n',
  ),
);
process.exitCode = complaints.size === 0 ? 0 : 1;
