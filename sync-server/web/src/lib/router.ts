// The paths of the app: which page a URL means.

export type Route =
  | { page: 'traps' }
  | { page: 'login' }
  | { page: 'enrolment' }
  | { page: 'trap'; trap: string }
  | { page: 'capture'; trap: string; capture: string }
  | { page: 'unknown' };

const decode = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

export function routeOf(pathname: string): Route {
  const parts = pathname
    .split('/')
    .filter((part) => part !== '')
    .map(decode);
  const [first, trap, third, capture] = parts;
  if (parts.length === 0) return { page: 'traps' };
  if (first === 'login' && parts.length === 1) return { page: 'login' };
  if (first === 'enrolment' && parts.length === 1) return { page: 'enrolment' };
  if (first !== 'traps') return { page: 'unknown' };
  if (parts.length === 1) return { page: 'traps' };
  if (parts.length === 2 && trap) return { page: 'trap', trap };
  if (parts.length === 4 && trap && third === 'captures' && capture) {
    return { page: 'capture', trap, capture };
  }
  return { page: 'unknown' };
}

export const trapPath = (trap: string): string => `/traps/${encodeURIComponent(trap)}`;

export const capturePath = (trap: string, capture: string): string =>
  `${trapPath(trap)}/captures/${encodeURIComponent(capture)}`;

/** Where to go after the login: a path of this app, whatever the query says. */
export function pathAfterLogin(search: string): string {
  const next = new URLSearchParams(search).get('next') ?? '/';
  const inside = next.startsWith('/') && !next.startsWith('//') && !next.startsWith('/\\');
  return inside && routeOf(next.split(/[?#]/)[0] ?? '/').page !== 'login' ? next : '/';
}
