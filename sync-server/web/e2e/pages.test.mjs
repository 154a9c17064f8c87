// The pages on a desk: traps, time line, picture.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ask,
  busiestTrap,
  capturePath,
  DESK,
  isDrawn,
  launch,
  logIn,
  open,
  pictureReady,
  seen,
} from './browser.mjs';

const PICTURE_CANVAS = '.openseadragon-canvas canvas';

let browser;
let state;
let trap;
let captures;

before(async () => {
  browser = await launch();
  const page = await open(browser, DESK);
  await logIn(page);
  ({ trap, captures } = await busiestTrap(page));
  state = await page.context().storageState();
  await page.context().close();
});
after(() => browser?.close());

const boxes = (page) => page.locator('svg[data-ready="true"] rect.box');
const said = async (page) => Number(await page.locator('[data-count]').getAttribute('data-count'));
const slider = (page) => page.getByRole('slider', { name: 'Least score that counts' });

test('the list shows every trap with its condition and opens its page', async () => {
  const page = await open(browser, DESK, state);
  await page.goto('/');
  const { items } = await ask(page, '/traps?limit=500');
  await page.locator('tr[data-trap]').first().waitFor();
  assert.equal(await page.locator('tr[data-trap]').count(), items.length);
  const row = page.locator(`tr[data-trap="${trap.id}"]`);
  assert.match(await row.innerText(), /Working|Silent|Needs a look|No pictures|Never|revoked/);
  await row.locator('img').waitFor();
  await row.getByRole('link').click();
  await page.getByRole('heading', { level: 1, name: trap.name }).waitFor();
  await page.context().close();
});

test('five strips stand on one time axis', async () => {
  const page = await open(browser, DESK, state);
  await page.goto(`/traps/${trap.id}?window=all`);
  for (const name of ['insects', 'temperature', 'humidity', 'light', 'effort']) {
    await isDrawn(page, `[data-strip="${name}"] canvas`);
  }
  const edges = await page
    .locator('[data-strip] .u-over')
    .evaluateAll((all) =>
      all.map((over) => over.getBoundingClientRect()).map((r) => `${r.left} ${r.right}`),
    );
  assert.equal(new Set(edges).size, 1, `plots are not in one column: ${edges.join(', ')}`);
  await page.context().close();
});

test('arrivals stand as bars, with words for each of them', async () => {
  const page = await open(browser, DESK, state);
  await page.goto(`/traps/${trap.id}?window=all`);
  const total = page.locator('[data-arrivals]');
  await page.waitForFunction(
    () => (document.querySelector('[data-arrivals]')?.textContent ?? '') !== '',
  );
  assert.match(await total.innerText(), /arrivals?|nobody looked/);
  const bars = page.getByRole('slider', { name: 'Arrivals, bar by bar' });
  await bars.focus();
  await page.keyboard.press('ArrowRight');
  assert.match(await total.innerText(), /\d.*: (\d+ arrival|not known)/);
  await page.getByRole('button', { name: 'per day' }).click();
  await page.waitForFunction(() =>
    /in this window|nobody/.test(document.querySelector('[data-arrivals]').textContent),
  );
  assert.equal(await page.getByRole('link', { name: 'arrivals.csv' }).count(), 1);
  await page.context().close();
});

test('a click on a box shows that insect from picture to picture', async () => {
  const page = await open(browser, DESK, state);
  await page.goto('/');
  const { items } = await ask(page, `/tracks?trap=${trap.id}&limit=500`);
  const track = items.find(({ best_picture }) => best_picture === 'stored');
  assert.ok(track, 'the trap has told of no insect');
  await page.goto(capturePath({ trap: trap.id, id: track.best }));
  await pictureReady(page, track.best);
  await page.locator('[data-new]').waitFor();
  const list = page.getByText(/Boxes as a list/);
  await list.click();
  await page
    .getByRole('button', { name: /, show this insect over time/ })
    .first()
    .click();
  const life = page.getByRole('region', { name: 'One insect over time' });
  await life.getByText(/Last seen/).waitFor();
  const crop = life.locator('img').first();
  await crop.waitFor();
  await page.waitForFunction((image) => image.naturalWidth > 0, await crop.elementHandle());
  await page.keyboard.press('Escape');
  await life.waitFor({ state: 'detached' });
  await page.context().close();
});

test('pointing shows a thumbnail with its count, a click opens the picture', async () => {
  const page = await open(browser, DESK, state);
  await page.goto(`/traps/${trap.id}?window=all`);
  await isDrawn(page, '[data-strip="insects"] canvas');
  // The marker of a walked-to capture says where on the axis a capture lies.
  const strips = page.getByRole('slider', { name: 'Captures on the time line' });
  await strips.focus();
  await page.keyboard.press('End');
  await page.locator('.marker').waitFor();
  const x = await page.locator('.marker').evaluate((marker) => marker.getBoundingClientRect().left);
  await page.keyboard.press('Escape');
  const plot = await page.locator('[data-strip="insects"] .u-over').boundingBox();
  await page.mouse.move(x, plot.y + plot.height / 2);
  const peek = page.locator('.peek');
  await peek.waitFor();
  assert.match(await peek.innerText(), /insect|not inspected/);
  await page.mouse.click(x, plot.y + plot.height / 2);
  await page.waitForURL((url) => url.pathname.includes('/captures/'));
  await page.context().close();
});

test('dragging over a strip zooms all of them, and there is a way back', async () => {
  const page = await open(browser, DESK, state);
  await page.goto(`/traps/${trap.id}?window=all`);
  await isDrawn(page, '[data-strip="insects"] canvas');
  const span = page.locator('.span');
  const before = await span.innerText();
  const plot = await page.locator('[data-strip="insects"] .u-over').boundingBox();
  const y = plot.y + plot.height / 2;
  await page.mouse.move(plot.x + plot.width * 0.1, y);
  await page.mouse.down();
  await page.mouse.move(plot.x + plot.width * 0.5, y, { steps: 4 });
  await page.mouse.move(plot.x + plot.width * 0.9, y, { steps: 4 });
  await page.mouse.up();
  const back = page.getByRole('button', { name: 'Leave the zoom' });
  await back.waitFor();
  assert.ok(!page.url().includes('/captures/'), 'a drag is no click');
  await back.click();
  await back.waitFor({ state: 'detached' });
  assert.equal((await span.innerText()).slice(0, 10), before.slice(0, 10));
  await page.context().close();
});

test('the keyboard alone walks from the strips to a picture and through pictures', async () => {
  const page = await open(browser, DESK, state);
  await page.goto(`/traps/${trap.id}?window=all`);
  const strips = page.getByRole('slider', { name: 'Captures on the time line' });
  await strips.focus();
  await page.keyboard.press('End');
  const marker = page.locator('.marker');
  const last = await marker.getAttribute('data-capture');
  await page.keyboard.press('ArrowLeft');
  await page.locator(`.marker:not([data-capture="${last}"])`).waitFor();
  const chosen = await marker.getAttribute('data-capture');
  const outline = await strips.evaluate((element) => getComputedStyle(element).outlineStyle);
  assert.notEqual(outline, 'none', 'the focus can be seen');
  await page.keyboard.press('Enter');
  await page.locator(`.page[data-capture="${chosen}"]`).waitFor();
  await page.keyboard.press('ArrowRight');
  await page.locator(`.page[data-capture="${last}"]`).waitFor();
  await page.keyboard.press('ArrowLeft');
  await page.locator(`.page[data-capture="${chosen}"]`).waitFor();
  assert.ok(page.url().endsWith(chosen));
  await page.goBack();
  await page.locator(`.marker[data-capture="${chosen}"]`).waitFor();
  await page.context().close();
});

test('the boxes drawn are those that the server has, at the model’s threshold', async () => {
  const page = await open(browser, DESK, state);
  const [capture] = captures;
  await page.goto(capturePath(capture));
  await pictureReady(page, capture.id);
  const detail = await ask(page, `/captures/${capture.trap}/${capture.id}`);
  const { model, outcome } = detail.inspections[0];
  const expected = outcome.detections.filter(({ score }) => score >= model.threshold).length;
  assert.equal(await said(page), expected);
  assert.equal(await boxes(page).count(), expected);
  assert.equal(await page.getByText(detail.picture.sha256).count(), 1);
  await page.context().close();
});

test('a box lies where the picture has it, also after a zoom', async () => {
  const page = await open(browser, DESK, state);
  await page.goto(capturePath(captures[0]));
  await pictureReady(page);
  const size = () =>
    boxes(page)
      .first()
      .evaluate((box) => box.getBoundingClientRect().width);
  const before = await size();
  await page.keyboard.press('+');
  await page.waitForFunction(
    (width) =>
      document.querySelector('svg[data-ready] rect.box').getBoundingClientRect().width >
      width * 1.3,
    before,
  );
  await page.keyboard.press('0');
  await page.waitForFunction((width) => {
    const now = document.querySelector('svg[data-ready] rect.box').getBoundingClientRect().width;
    return Math.abs(now - width) < 0.5;
  }, before);
  await page.context().close();
});

test('the slider decides how many boxes count, and the count is said', async () => {
  const page = await open(browser, DESK, state);
  await page.goto(capturePath(captures[0]));
  await pictureReady(page);
  const own = await said(page);
  await slider(page).focus();
  await page.keyboard.press('End');
  await page.waitForFunction(
    () => Number(document.querySelector('[data-count]').dataset.count) === 0,
  );
  assert.equal(await boxes(page).count(), 0);
  await page.keyboard.press('Home');
  await page.waitForFunction(
    (n) => Number(document.querySelector('[data-count]').dataset.count) >= n,
    own,
  );
  assert.equal(await boxes(page).count(), await said(page));
  assert.equal(await page.locator('[data-count]').getAttribute('aria-live'), 'polite');
  await page.getByRole('button', { name: /Back to the model/ }).click();
  assert.equal(await said(page), own);
  await page.context().close();
});

test('boxes can be hidden, and listed for those who cannot see them', async () => {
  const page = await open(browser, DESK, state);
  await page.goto(capturePath(captures[0]));
  await pictureReady(page);
  const count = await said(page);
  await page.getByText('Boxes as a list').click();
  await page.locator('details tbody tr').first().waitFor();
  assert.equal(await page.locator('details tbody tr').count(), count);
  await page.getByRole('button', { name: /^Show/ }).first().focus();
  await page.locator('rect.box.lit').waitFor();
  await page.getByRole('button', { name: 'Boxes', exact: true }).click();
  await page.locator('rect.box').first().waitFor({ state: 'detached' });
  assert.equal(await said(page), count, 'hidden boxes still count');
  await page.context().close();
});

test('a browser without WebGL shows the picture all the same', async () => {
  const page = await open(browser, DESK, state);
  await page.addInitScript(() => {
    const plain = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function getContext(kind, ...rest) {
      return kind.includes('webgl') ? null : plain.call(this, kind, ...rest);
    };
  });
  await page.goto(capturePath(captures[0]));
  await pictureReady(page);
  await isDrawn(page, PICTURE_CANVAS);
  await page.context().close();
});

test('the tables can be downloaded as CSV', async () => {
  const page = await open(browser, DESK, state);
  await page.goto(`/traps/${trap.id}?window=all`);
  await page.getByRole('heading', { name: 'As tables' }).waitFor();
  const links = await page.locator('a[download]').evaluateAll((all) => all.map((a) => a.href));
  assert.equal(links.length, 6);
  for (const link of links) {
    const answer = await page.request.get(link);
    assert.equal(answer.status(), 200, link);
    assert.match(answer.headers()['content-type'], /text\/csv/);
    assert.match(await answer.text(), /^\S+,\S+/);
  }
  await page.context().close();
});

test('in all this no request left the origin and no page complained', () => {
  assert.deepEqual([...seen.strangers], []);
  assert.deepEqual(seen.complaints, []);
});
