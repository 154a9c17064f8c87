// The trap's own page for a technician's phone, served by the agent.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, overhang, PHONE } from './browser.mjs';

const url = process.env.TRAPLINE_PAGE_URL ?? '';
const password = process.env.TRAPLINE_PAGE_PASSWORD ?? '';
const skip = url === '' ? 'TRAPLINE_PAGE_URL names no trap' : false;
const VIEWS = ['focus', 'pictures', 'state', 'check', 'place', 'more'];
const THUMB_PX = 48;

let browser;
const complaints = [];
const strangers = new Set();

before(async () => {
  if (!skip) browser = await launch();
});
after(() => browser?.close());

async function open(colorScheme = 'light') {
  const context = await browser.newContext({ baseURL: url, ...PHONE, colorScheme });
  context.setDefaultTimeout(30_000);
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith(`${url}/`) && !/^(data|blob):/.test(asked)) strangers.add(asked);
  });
  return page;
}

/** As a phone opens what it scanned from the display. */
async function scan(page) {
  await page.goto(`/#${password.replace('-', '')}`);
  await page.locator('#nav').waitFor();
}

test(
  'a wrong password stays outside, the scanned one comes in and leaves the address',
  { skip },
  async () => {
    const page = await open();
    await page.goto('/');
    await page.getByLabel('Password').fill('not-this-one');
    await page.getByRole('button', { name: 'Open the trap' }).click();
    await page.getByRole('alert').waitFor();
    assert.equal(await page.locator('#nav').isVisible(), false);
    await page.goto('about:blank');
    await scan(page);
    assert.equal(page.url().includes(password.replace('-', '')), false);
    await page.context().close();
  },
);

for (const scheme of ['light', 'dark']) {
  test(`every view fits a phone and can be touched, ${scheme}`, { skip }, async () => {
    const page = await open(scheme);
    await scan(page);
    for (const view of VIEWS) {
      await page.locator(`nav a[href="#${view}"]`).tap();
      await page.locator(`#${view}`).waitFor();
      assert.equal(await overhang(page), 0, `${view} is wider than the screen`);
      const small = await page.locator('button, select, input, textarea, nav a').evaluateAll(
        (all, least) =>
          all
            .map((element) => ({ element, box: element.getBoundingClientRect() }))
            .filter(({ box }) => box.width > 0 && (box.height < least || box.width < least))
            .map(({ element }) => element.outerHTML.slice(0, 80)),
        THUMB_PX,
      );
      assert.deepEqual(small, [], `${view} has targets too small for a glove`);
    }
    await page.context().close();
  });
}

test('pictures have their boxes', { skip }, async () => {
  const page = await open();
  await scan(page);
  await page.locator('nav a[href="#pictures"]').tap();
  await page.locator('#list .card img').first().waitFor();
  await page.waitForFunction(() => document.querySelector('#list .card img').naturalWidth > 0);
  assert.ok((await page.locator('#list .card rect').count()) > 0);
  await page.locator('#list .card').first().tap();
  await page.getByRole('button', { name: 'Back' }).tap();
  await page.context().close();
});

test('where the trap stands is kept, with what was typed as it was typed', { skip }, async () => {
  const page = await open();
  await scan(page);
  await page.locator('nav a[href="#place"]').tap();
  await page.getByLabel('Site').fill('<b>North</b> & "orchard"');
  await page.getByLabel('Coordinates').fill('52.51630 N, 13.37770 W');
  await page.getByRole('button', { name: 'Keep this' }).tap();
  await page.getByText('Kept on the card.').waitFor();
  const told = await page.locator('#told').innerText();
  assert.ok(told.includes('<b>North</b> & "orchard"'), told);
  assert.ok(told.includes('52.51630, -13.37770'), told);
  await page.context().close();
});

test('no request left the trap and no script failed', { skip }, () => {
  assert.deepEqual([...strangers], []);
  assert.deepEqual(complaints, []);
});
