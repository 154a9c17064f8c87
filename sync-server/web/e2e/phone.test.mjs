// The pages on a phone: nothing wider than the screen, nothing too small for a thumb.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  busiestTrap,
  capturePath,
  isDrawn,
  launch,
  logIn,
  open,
  overhang,
  PHONE,
  pictureReady,
  seen,
} from './browser.mjs';

const THUMB_PX = 44;

let browser;
let state;
let trap;
let captures;

before(async () => {
  browser = await launch();
  const page = await open(browser, PHONE);
  await page.goto('/login');
  await page.getByLabel('Name').waitFor();
  assert.equal(await overhang(page), 0, 'login');
  await logIn(page);
  ({ trap, captures } = await busiestTrap(page));
  state = await page.context().storageState();
  await page.context().close();
});
after(() => browser?.close());

/** Buttons and fields that a thumb would miss; links within a text may be as small as the text. */
const tooSmall = (page) =>
  page.locator('button, .button, select, input, summary').evaluateAll(
    (all, least) =>
      all
        .map((element) => ({ element, box: element.getBoundingClientRect() }))
        .filter(({ element }) => !element.classList.contains('skip'))
        .filter(({ box }) => box.width > 0 && (box.height < least || box.width < least))
        .map(({ element, box }) => `${element.outerHTML.slice(0, 80)} ${box.width}×${box.height}`),
    THUMB_PX,
  );

async function fits(page, what) {
  assert.equal(await overhang(page), 0, `${what} is wider than the screen`);
  assert.deepEqual(await tooSmall(page), [], `${what} has targets too small for a thumb`);
}

test('the traps are cards', async () => {
  const page = await open(browser, PHONE, state);
  await page.goto('/');
  await page.locator('tr[data-trap] img').first().waitFor();
  assert.equal(await page.locator('thead').isVisible(), false);
  assert.ok((await page.getByRole('row').count()) > 0, 'they are rows for a screen reader still');
  await fits(page, 'the list');
  await page.context().close();
});

test('a touch on the strips shows the capture and a button to open it', async () => {
  const page = await open(browser, PHONE, state);
  await page.goto(`/traps/${trap.id}?window=all`);
  await isDrawn(page, '[data-strip="insects"] canvas');
  await fits(page, 'the time line');
  const strips = page.getByRole('slider', { name: 'Captures on the time line' });
  await strips.focus();
  await page.keyboard.press('End');
  await page.locator('.marker').waitFor();
  const x = await page.locator('.marker').evaluate((marker) => marker.getBoundingClientRect().left);
  await page.keyboard.press('Escape');
  const plot = page.locator('[data-strip="insects"] .u-over');
  await plot.scrollIntoViewIfNeeded();
  const { y, height } = await plot.boundingBox();
  await page.touchscreen.tap(x, y + height / 2);
  await page.getByRole('button', { name: 'Open' }).tap();
  await page.waitForURL((url) => url.pathname.includes('/captures/'));
  await page.context().close();
});

test('the picture fits and its tools can be touched', async () => {
  const page = await open(browser, PHONE, state);
  await page.goto(capturePath(captures[0]));
  await pictureReady(page);
  await fits(page, 'the picture');
  await page.getByRole('button', { name: 'Earlier' }).waitFor();
  await page.context().close();
});

test('in all this no request left the origin and no page complained', () => {
  assert.deepEqual([...seen.strangers], []);
  assert.deepEqual(seen.complaints, []);
});
