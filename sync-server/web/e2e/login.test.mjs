// The way in and out.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, logIn, open, seen } from './browser.mjs';

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

test('the pages come with a policy that keeps them at home', async () => {
  const page = await open(browser);
  const answer = await page.goto('/');
  assert.match(answer.headers()['content-security-policy'] ?? '', /default-src 'self'/);
  await page.context().close();
});

test('without a login every page is the login page', async () => {
  const page = await open(browser);
  await page.goto('/traps/abcd2345');
  await page.waitForURL((url) => url.pathname === '/login');
  await page.getByRole('heading', { name: 'Trapline' }).waitFor();
  await page.context().close();
});

test('a wrong password is told clearly and the right one still works', async () => {
  const page = await open(browser);
  await page.goto('/login');
  await page.getByLabel('Name').fill('nobody-of-that-name');
  await page.getByLabel('Password').fill('wrong');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').getByText('is not right').waitFor();
  await logIn(page, '/login');
  await page.getByRole('heading', { name: 'Traps', exact: true }).waitFor();
  await page.context().close();
});

test('after the login the reader stands where they wanted to go', async () => {
  const page = await open(browser);
  await logIn(page, '/traps/zzzzzzzz?window=14d');
  assert.equal(new URL(page.url()).pathname, '/traps/zzzzzzzz');
  await page.getByRole('heading', { name: 'There is no such trap' }).waitFor();
  await page.context().close();
});

test('logging out ends the session', async () => {
  const page = await open(browser);
  await logIn(page);
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.waitForURL((url) => url.pathname === '/login');
  await page.goto('/');
  await page.waitForURL((url) => url.pathname === '/login');
  await page.context().close();
});

test('in all this no request left the origin and no page complained', () => {
  assert.deepEqual([...seen.strangers], []);
  assert.deepEqual(seen.complaints, []);
});
