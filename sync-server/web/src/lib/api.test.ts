// Checks of the client against a server that answers what the test says.
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as api from './api';

function answer(...responses: (Response | Error)[]): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    const next = responses.shift();
    if (next === undefined) return Promise.reject(new Error('asked too often'));
    return next instanceof Error ? Promise.reject(next) : Promise.resolve(next);
  });
  return asked;
}

afterEach(() => {
  vi.unstubAllGlobals();
  api.whenLoggedOut(() => undefined);
});

describe('addresses', () => {
  it('leave out what is not given', () => {
    expect(api.csvUrl('readings', 'abcd2345', null, 9)).toBe(
      '/api/v1/readings.csv?trap=abcd2345&until_ms=9',
    );
    expect(api.thumbnailUrl('a', 'b/c')).toBe('/api/v1/captures/a/b%2Fc/thumbnail');
  });
});

describe('traps', () => {
  it('reads all pages', async () => {
    const page = (id: string, next: string | null): Response =>
      Response.json({ items: [{ id }], next });
    const asked = answer(page('a', 'x'), page('b', null));
    const traps = await api.traps(7);
    expect(traps.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(asked).toEqual([
      '/api/v1/traps?since_ms=7&limit=500',
      '/api/v1/traps?since_ms=7&limit=500&after=x',
    ]);
  });
});

describe('failures', () => {
  it('carry the server’s words and its wish to wait', async () => {
    const body = { error: 'slow_down', message: 'Too many failures.' };
    answer(Response.json(body, { status: 429, headers: { 'Retry-After': '20' } }));
    await expect(api.login('ada', 'x')).rejects.toMatchObject({
      status: 429,
      word: 'slow_down',
      message: 'Too many failures.',
      retryAfterS: 20,
    });
  });

  it('are told apart from a server that cannot be reached', async () => {
    answer(new TypeError('network'));
    await expect(api.me()).rejects.toMatchObject({ status: 0, word: 'unreachable' });
  });

  it('survive an answer that is no JSON', async () => {
    answer(new Response('<html>', { status: 502 }));
    await expect(api.me()).rejects.toMatchObject({
      status: 502,
      message: 'The server answered 502.',
    });
  });

  it('tell the app that the session is over, but not for a wrong password', async () => {
    let over = 0;
    api.whenLoggedOut(() => (over += 1));
    const refuse = (error: string): Response =>
      Response.json({ error, message: '' }, { status: 401 });
    answer(refuse('bad_login'), refuse('no_session'));
    await expect(api.login('ada', 'x')).rejects.toBeInstanceOf(api.ApiError);
    expect(over).toBe(0);
    await expect(api.me()).rejects.toBeInstanceOf(api.ApiError);
    expect(over).toBe(1);
  });
});
