// Every state of the window that is pictured: where it begins, and what a person does to get there.

const click = (testid) => (page) => page.getByTestId(testid).first().click();
const see = (testid) => (page) => page.getByTestId(testid).first().waitFor();
const fill = (testid, text) => (page) => page.getByTestId(testid).fill(text);
const press = (selector) => (page) => page.locator(selector).first().click();
const go = (view) => click(`nav-${view}`);
const fail = (page) => page.evaluate(() => window.dispatchEvent(new CustomEvent('mock-fail')));
const drag =
  (paths, kind = 'enter', x = 450, y = 200, folders = []) =>
  (page) =>
    page.evaluate((detail) => window.dispatchEvent(new CustomEvent('mock-drop', { detail })), {
      kind,
      paths,
      folders,
      x,
      y,
    });

const LONG_IMAGE = `[data-image*="very-very"]`;
/** On the card of the registry with the longest name. */
const longest = (testid) => press(`[data-registry^="a-registry-whose"] [data-testid="${testid}"]`);
const repository = press('[data-name="shop/api"]');
const image = [click('look-inside'), repository, press('[data-name="2.4.1"]')];
const onLongImage = (...steps) => ['mock=many', go('images'), fill('image-search', 'very-'), ...steps];

/** name: [query, steps…] */
export const scenes = {
  registries: ['mock=full'],
  images: ['mock=full', go('images')],
  'images-search': ['mock=full', go('images'), fill('image-search', 'shop 2.4')],
  'images-no-match': ['mock=full', go('images'), fill('image-search', 'nonsense')],
  transfers: ['mock=full', go('transfers')],
  'empty-registries': ['mock=empty'],
  'empty-images': ['mock=empty', go('images')],
  'empty-transfers': ['mock=empty', go('transfers')],
  'empty-doctor': ['mock=empty', go('doctor')],
  'failing-registries': ['mock=failing'],
  'failing-images': ['mock=failing', go('images')],
  'failing-transfers': [
    'mock=failing',
    go('transfers'),
    press('[data-testid="transfer-details"] button'),
    click('toggle-layers'),
  ],
  'failing-elsewhere': ['mock=full', go('images'), fail, see('notice')],
  'many-failing-elsewhere': ['mock=many', go('images'), fail, see('notice')],
  'failing-core': ['mock=full&refuse=snapshot', see('broken-error')],
  'many-registries': ['mock=many'],
  'many-direct': ['mock=many', (p) => p.getByTestId('registry-url').scrollIntoViewIfNeeded()],
  'many-images': ['mock=many', go('images')],
  'many-images-end': [
    'mock=many',
    go('images'),
    (p) => p.locator('main').evaluate((main) => main.scrollTo(0, main.scrollHeight / 2)),
    (p) => p.locator('[data-image="team5/service-250:1.250.0"]').waitFor(),
  ],
  'many-transfers': ['mock=many', go('transfers')],
  contents: ['mock=full', click('look-inside'), see('repository-row')],
  'contents-tags': ['mock=full', click('look-inside'), repository, see('tag-row')],
  'contents-image': ['mock=full', ...image, see('blob-row')],
  'contents-platforms': [
    'mock=full',
    click('look-inside'),
    repository,
    press('[data-name="latest"]'),
    see('platform-row'),
  ],
  'contents-usage': [
    'mock=full',
    click('look-inside'),
    click('measure-usage'),
    see('usage-total'),
    (p) => p.getByTestId('usage').scrollIntoViewIfNeeded(),
  ],
  'many-contents': ['mock=many', longest('look-inside'), see('repository-row')],
  'failing-contents': ['mock=full&refuse=look', click('look-inside'), see('contents-error')],
  doctor: ['mock=full', go('doctor')],
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
    see('doctor-copy'),
  ],
  settings: ['mock=full', go('settings'), see('set-engine')],
  'welcome-filled': ['mock=empty', click('proposal')],
  'welcome-test': ['mock=empty', click('proposal'), click('welcome-test'), see('welcome-summary')],
  'welcome-push': [
    'mock=empty',
    click('proposal'),
    click('welcome-test'),
    see('welcome-summary'),
    click('welcome-add'),
    see('welcome-done'),
  ],
};

/** What is no view by itself: a dialog, a question, a menu, something carried. */
export const passing = {
  palette: ['mock=full', (p) => p.keyboard.press('Control+k')],
  'palette-search': ['mock=full', (p) => p.keyboard.press('Control+k'), (p) => p.keyboard.type('push')],
  'palette-none': ['mock=full', (p) => p.keyboard.press('Control+k'), (p) => p.keyboard.type('nonsense')],
  'palette-long': ['mock=many', (p) => p.keyboard.press('Control+k'), (p) => p.keyboard.type('very')],
  shortcuts: ['mock=full', (p) => p.keyboard.press('?')],
  'registry-menu': ['mock=full', click('more')],
  'image-menu': ['mock=full', go('images'), click('image-more')],

  add: ['mock=full', click('add-registry')],
  'add-options': ['mock=full', click('add-registry'), click('add-advanced')],
  'add-several': [
    'mock=full',
    click('add-registry'),
    click('add-advanced'),
    fill('add-fallbacks', 'b.boss.org, c.boss.org'),
  ],
  'add-direct': [
    'mock=full',
    click('add-registry'),
    click('add-advanced'),
    fill('add-url', 'https://nexus.boss.org:8443'),
  ],
  'add-errors': [
    'mock=full',
    click('add-registry'),
    click('add-advanced'),
    fill('add-name', 'registry'),
    fill('add-ssh', 'me@'),
    fill('add-port', '99999'),
    click('add-submit'),
  ],
  'add-refused': [
    'mock=full&refuse=add-registry',
    click('add-registry'),
    fill('add-name', 'cr.new.example'),
    fill('add-ssh', 'you@new.example'),
    click('add-submit'),
    see('add-error'),
  ],
  edit: ['mock=full', click('more'), click('edit')],
  'edit-long': ['mock=many', longest('more'), click('edit')],
  login: ['mock=full', click('more'), click('login'), see('login-state')],
  'login-refused': [
    'mock=full&refuse=login',
    click('more'),
    click('login'),
    see('login-state'),
    fill('login-user', 'you'),
    fill('login-secret', 'wrong'),
    click('login-submit'),
    see('login-error'),
  ],
  'login-long': ['mock=many', longest('more'), click('login'), see('login-state')],
  remove: ['mock=full', click('remove'), see('remove-settings')],
  'remove-nothing': [
    'mock=full&setup=satisfied',
    click('remove'),
    (p) => p.locator('[data-testid=confirm-dialog][data-stage=ready]').waitFor(),
  ],
  'remove-diff': ['mock=full', click('remove'), click('remove-show'), see('remove-diff')],
  'remove-unknown': ['mock=full&refuse=plan-setup', click('remove'), see('remove-unknown')],
  'remove-refused': [
    'mock=full&refuse=apply-setup',
    click('remove'),
    see('remove-settings'),
    click('confirm-accept'),
    see('remove-error'),
  ],
  'remove-long': ['mock=many', longest('remove'), see('remove-settings')],
  disconnect: ['mock=full', click('disconnect')],

  push: ['mock=full', go('images'), click('push')],
  'push-more': [
    'mock=full',
    go('images'),
    click('push'),
    click('push-more'),
    (p) => p.getByTestId('push-all-platforms').scrollIntoViewIfNeeded(),
  ],
  'push-wrong': ['mock=full', go('images'), click('push'), fill('push-reference', 'Shop/API:2.4.1')],
  'push-refused': [
    'mock=full&refuse=push',
    go('images'),
    click('push'),
    click('push-submit'),
    see('push-error'),
  ],
  'push-long': onLongImage(press(`${LONG_IMAGE} [data-testid=push]`)),
  ship: ['mock=full', go('images'), click('image-more'), click('ship')],
  'ship-refused': [
    'mock=full&refuse=ship',
    go('images'),
    click('image-more'),
    click('ship'),
    fill('ship-host', 'deploy@prod.boss.org'),
    click('ship-submit'),
    see('ship-error'),
  ],
  'ship-long': onLongImage(click('image-more'), click('ship')),
  copy: ['mock=full', ...image, click('copy-image')],
  'copy-wrong': [
    'mock=full',
    ...image,
    click('copy-image'),
    fill('copy-from', 'elsewhere.example/app:v1'),
    click('copy-submit'),
  ],
  pull: [
    'mock=full',
    go('images'),
    click('pull'),
    fill('pull-reference', 'docker pull cr.boss.org/shop/api'),
  ],
  'pull-file': ['mock=full', go('images'), click('pull'), click('pull-into-file')],
  'pull-wrong': [
    'mock=full',
    go('images'),
    click('pull'),
    click('pull-into-file'),
    fill('pull-reference', 'elsewhere.example/app:v1'),
    fill('pull-platform', 'arm'),
    click('pull-submit'),
  ],
  archive: ['mock=full', go('images'), click('push-archive')],
  'archive-wrong': [
    'mock=full',
    go('images'),
    click('push-archive'),
    click('archive-more'),
    fill('archive-path', 'pictures/holiday.jpg'),
    click('archive-submit'),
  ],
  'drop-card': ['mock=full', drag(['/home/you/app.tar'])],
  'drop-window': ['mock=full', drag(['/home/you/app.tar'], 'enter', 5, 5)],
  'drop-refused': ['mock=full', drag(['/home/you/holiday.jpg'])],
  'drop-refused-after': ['mock=full', drag(['/home/you/holiday.jpg'], 'drop')],
  'drop-choose': [
    'mock=full',
    drag(['/home/you/app.tar', '/home/you/web.tar.gz'], 'drop', 5, 5),
    click('archive-more'),
  ],
  'settings-number-refused': [
    'mock=full&refuse=change-settings',
    go('settings'),
    fill('set-linger', '77'),
    (p) => p.getByTestId('set-linger').blur(),
    see('set-linger-error'),
  ],
  'drop-folder-refused': [
    'mock=full',
    drag(['/home/you/photos', '/home/you/holiday.jpg'], 'drop', 450, 200, [
      { path: '/home/you/photos', isLayout: false },
    ]),
  ],
  'archive-reading': [
    'mock=full&reading=600000',
    drag(['/home/you/web.tar.gz'], 'drop', 5, 5),
    click('archive-submit'),
    (p) => p.getByTestId('transfer-waits').last().scrollIntoViewIfNeeded(),
  ],
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

  'contents-delete': [
    'mock=full',
    click('look-inside'),
    repository,
    press('[data-name="latest"]'),
    click('delete-image'),
    see('delete-account'),
  ],
  'contents-delete-refused': [
    'mock=full&refuse=delete-image',
    ...image,
    click('delete-image'),
    see('delete-account'),
    click('delete-submit'),
    see('delete-error'),
  ],
  collect: ['mock=full', click('look-inside'), click('collect-open'), see('collect-plan')],
  'collect-busy': [
    'mock=full&collecting=600000',
    click('look-inside'),
    click('collect-open'),
    see('collect-plan'),
    click('collect-submit'),
    (p) => p.locator('[data-testid="collect-dialog"][data-stage="busy"]').waitFor(),
  ],
  'collect-done': [
    'mock=full',
    click('look-inside'),
    click('collect-open'),
    see('collect-plan'),
    click('collect-submit'),
    see('collect-done'),
  ],
  'collect-refused': [
    'mock=full&refuse=plan-collect',
    click('look-inside'),
    click('collect-open'),
    see('collect-error'),
  ],
  'collect-long': ['mock=many', longest('look-inside'), click('collect-open'), see('collect-plan')],

  offer: ['mock=full', click('offer-registry')],
  'offer-refused': [
    'mock=full&refuse=offer',
    click('offer-registry'),
    fill('offer-ssh', 'root@prod.boss.org'),
    fill('offer-to', '127.0.0.1:5000'),
    click('offer-submit'),
    see('offer-error'),
  ],
  team: ['mock=full', click('team-open'), see('team-text')],
  'team-written': ['mock=full', click('team-open'), click('team-submit'), see('team-written')],
  'team-in': ['mock=full', click('team-open'), click('team-in')],
  'team-plan': [
    'mock=full',
    click('team-open'),
    click('team-in'),
    fill('team-paste', '[[registry]]'),
    click('team-submit'),
    see('team-entry'),
  ],
  'team-refused': [
    'mock=full&refuse=plan-import',
    click('team-open'),
    click('team-in'),
    fill('team-paste', '[[registry]]'),
    click('team-submit'),
    see('team-error'),
  ],

  setup: ['mock=full', click('fix-hosts'), see('setup-diff')],
  'setup-nothing': ['mock=full&setup=satisfied', click('setup-open'), see('setup-applied')],
  'setup-refused': ['mock=full&setup=refused', click('setup-open'), see('setup-refused')],
  'setup-restart': [
    'mock=full&setup=failing',
    click('setup-open'),
    (p) => p.getByTestId('setup-stops').scrollIntoViewIfNeeded(),
  ],
  'setup-busy': ['mock=full', click('setup-open'), click('setup-apply'), see('setup-progress')],
  'setup-done': ['mock=full', click('setup-open'), click('setup-apply'), see('setup-summary')],
  'setup-failing': [
    'mock=full&setup=failing',
    click('setup-open'),
    click('setup-apply'),
    see('setup-check-failed'),
  ],
  'setup-undo': [
    'mock=full&setup=satisfied',
    click('setup-open'),
    click('setup-undo-all'),
    see('setup-diff'),
  ],

  'prompt-host-key': ['mock=full&prompt=host-key'],
  'prompt-host-key-long': ['mock=many&prompt=host-key'],
  'prompt-passphrase': ['mock=full&prompt=passphrase&again'],
  'prompt-password': ['mock=full&prompt=password'],
  'prompt-challenge-long': ['mock=many&prompt=challenge'],
  'prompt-registry-login': ['mock=full&prompt=registry-login'],
  demo: ['mock=full&sample'],
};
