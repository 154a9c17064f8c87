// Who is logged in, and the way back to the login page when nobody is.
import * as api from './api';
import { place } from './place.svelte';
import type { Me } from './types';

class Session {
  me: Me | null = $state(null);
  /** False until the server was asked once. */
  known: boolean = $state(false);

  async find(): Promise<void> {
    try {
      this.me = await api.me();
    } catch {
      this.me = null;
    }
    this.known = true;
  }

  lost(): void {
    this.me = null;
    if (place.route.page === 'login') return;
    const here = location.pathname + location.search;
    place.go(here === '/' ? '/login' : `/login?next=${encodeURIComponent(here)}`, {
      replace: true,
    });
  }

  async end(): Promise<void> {
    await api.logout().catch(() => undefined);
    this.me = null;
    place.go('/login');
  }
}

export const session = new Session();

api.whenLoggedOut(() => {
  session.lost();
});
