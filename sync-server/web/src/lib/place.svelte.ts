// Where the reader is: the current route, and the way to another one without a reload.
import { routeOf, type Route } from './router';

class Place {
  route: Route = $state(routeOf(location.pathname));
  search: string = $state(location.search);

  constructor() {
    addEventListener('popstate', () => {
      this.#read();
    });
  }

  #read(): void {
    this.route = routeOf(location.pathname);
    this.search = location.search;
  }

  go(path: string, how: { replace?: boolean } = {}): void {
    if (how.replace) history.replaceState(null, '', path);
    else history.pushState(null, '', path);
    this.#read();
  }
}

export const place = new Place();

/** Plain clicks on links of the app change the page in place; all others stay the browser's. */
export function takeLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const target = event.target instanceof Element ? event.target.closest('a[href]') : null;
  if (!(target instanceof HTMLAnchorElement)) return;
  if (target.target !== '' || target.hasAttribute('download')) return;
  if (target.origin !== location.origin || target.pathname.startsWith('/api/')) return;
  if (target.pathname === location.pathname && target.hash !== '') return;
  event.preventDefault();
  place.go(target.pathname + target.search);
}
