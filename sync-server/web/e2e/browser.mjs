// The browser of the end-to-end tests: Debian's Chromium, and a watch over what it asks and complains of.
import { chromium } from 'playwright-core';

const need = (name) => {
  const value = process.env[name];
  if (value === undefined || value === '') {
    throw new Error(`${name} is not set: give the address and login of a running trapline-server`);
  }
  return value;
};

export const baseUrl = need('TRAPLINE_URL').replace(/\/$/, '');
export const user = need('TRAPLINE_USER');
export const password = need('TRAPLINE_PASSWORD');

export const DESK = { viewport: { width: 1280, height: 800 } };
export const PHONE = {
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
  deviceScaleFactor: 2,
};

/** A request that takes longer has failed. */
const TIMEOUT_MS = 20_000;

export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** What went wrong in any page of the run; the last test of each file looks at it. */
export const seen = { strangers: new Set(), complaints: [] };

function watch(page) {
  page.on('request', (request) => {
    const url = request.url();
    const own = url.startsWith(`${baseUrl}/`) || url.startsWith('data:') || url.startsWith('blob:');
    if (!own) seen.strangers.add(url);
  });
  page.on('pageerror', (error) => seen.complaints.push(`${page.url()}: ${error.message}`));
  page.on('console', (message) => {
    // Chromium reports every answer of 400 and above here; the tests judge those themselves.
    const isAnswer = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isAnswer) {
      seen.complaints.push(`${page.url()}: ${message.text()}`);
    }
  });
}

/** A page of its own context; `state` carries a login, `options` the kind of screen. */
export async function open(browser, options, state) {
  const context = await browser.newContext({
    baseURL: baseUrl,
    timezoneId: 'Europe/Berlin',
    ...options,
    ...(state ? { storageState: state } : {}),
  });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  watch(page);
  return page;
}

export async function logIn(page, path = '/') {
  await page.goto(path);
  await page.getByLabel('Name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.waitForURL((url) => url.pathname !== '/login');
}

/** The JSON of an API path, asked with the page's own session. */
export const ask = (page, path) =>
  page.evaluate(async (url) => {
    const response = await fetch(url);
    if (!response.ok) throw new Error(`${url}: ${response.status}`);
    return response.json();
  }, `/api/v1${path}`);

/** The trap with the most inspected pictures here, and these captures, the newest first. */
export async function busiestTrap(page) {
  const { items: traps } = await ask(page, '/traps?limit=500');
  let best = { trap: null, captures: [] };
  for (const trap of traps) {
    const path = `/captures?trap=${trap.id}&has_detections=true&limit=200`;
    const { items } = await ask(page, path);
    const captures = items.filter((capture) => capture.picture_state === 'stored');
    if (captures.length > best.captures.length) best = { trap, captures };
  }
  if (best.captures.length < 3) {
    throw new Error('the server needs a trap with three pictures on which insects were found');
  }
  return best;
}

export const capturePath = ({ trap, id }) => `/traps/${trap}/captures/${id}`;

/** Waits until the picture is drawn and its boxes lie over it. */
export async function pictureReady(page, id) {
  if (id !== undefined) await page.locator(`[data-capture="${id}"].page`).waitFor();
  await page.locator('svg[data-ready="true"]').waitFor();
}

/** Whether the canvas under `selector` holds anything but one colour. */
export const isDrawn = (page, selector) =>
  page.waitForFunction((css) => {
    const canvas = document.querySelector(css);
    if (!(canvas instanceof HTMLCanvasElement) || canvas.width === 0) return false;
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let i = 0; i < data.length && colours.size < 3; i += 4 * 7) {
      colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    }
    return colours.size >= 3;
  }, selector);

/** By how much the page is wider than the screen. */
export const overhang = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
