// Checks of the app's paths.
import { describe, expect, it } from 'vitest';
import { capturePath, pathAfterLogin, routeOf, trapPath } from './router';

describe('routeOf', () => {
  it('knows every page', () => {
    expect(routeOf('/')).toEqual({ page: 'traps' });
    expect(routeOf('/traps')).toEqual({ page: 'traps' });
    expect(routeOf('/login')).toEqual({ page: 'login' });
    expect(routeOf('/enrolment')).toEqual({ page: 'enrolment' });
    expect(routeOf('/traps/abcd2345')).toEqual({ page: 'trap', trap: 'abcd2345' });
    expect(routeOf('/traps/abcd2345/captures/7f3a9c21-00000042')).toEqual({
      page: 'capture',
      trap: 'abcd2345',
      capture: '7f3a9c21-00000042',
    });
  });

  it('calls the rest unknown', () => {
    for (const path of ['/nothing', '/traps/a/b', '/traps/a/pictures/b', '/login/x', '/%E0%A4%A']) {
      expect(routeOf(path)).toEqual({ page: 'unknown' });
    }
  });

  it('reads the paths that it writes', () => {
    expect(routeOf(trapPath('a b'))).toEqual({ page: 'trap', trap: 'a b' });
    expect(routeOf(capturePath('a', 'b/c'))).toEqual({
      page: 'capture',
      trap: 'a',
      capture: 'b/c',
    });
  });
});

describe('pathAfterLogin', () => {
  it('leads to where the reader wanted to go', () => {
    expect(pathAfterLogin('?next=%2Ftraps%2Fabcd2345%3Fwindow%3D14d')).toBe(
      '/traps/abcd2345?window=14d',
    );
    expect(pathAfterLogin('')).toBe('/');
  });

  it('never leads out of the app', () => {
    for (const next of [
      'https://else.example/',
      '//else.example',
      '/\\else.example',
      '/login',
      'traps',
    ]) {
      expect(pathAfterLogin(`?next=${encodeURIComponent(next)}`)).toBe('/');
    }
  });
});
