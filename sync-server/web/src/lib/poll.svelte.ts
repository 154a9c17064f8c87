// Data that is asked for again and again while the page is looked at.
import { ApiError } from './api';

/**
 * Keeps `value` as fresh as `everyMs`. While a new answer is on its way the old
 * one stays, and a failure is kept beside the last good answer.
 */
export class Poll<T> {
  value: T | null = $state.raw(null);
  error: ApiError | null = $state.raw(null);
  /** When `value` was answered, by this browser's clock. */
  asOfMs: number | null = $state(null);
  nowMs: number = $state(Date.now());

  readonly #ask: (signal: AbortSignal) => Promise<T>;
  readonly #everyMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | null = null;

  constructor(everyMs: number, ask: (signal: AbortSignal) => Promise<T>) {
    this.#everyMs = everyMs;
    this.#ask = ask;
  }

  /** Asks now and from then on; the returned function ends it. For use in `$effect`. */
  start(): () => void {
    const onVisible = (): void => {
      if (document.visibilityState === 'visible') void this.refresh();
    };
    document.addEventListener('visibilitychange', onVisible);
    void this.refresh();
    return () => {
      document.removeEventListener('visibilitychange', onVisible);
      clearTimeout(this.#timer);
      this.#running?.abort();
    };
  }

  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running?.abort();
    const running = new AbortController();
    this.#running = running;
    try {
      const value = await this.#ask(running.signal);
      if (running.signal.aborted) return;
      this.value = value;
      this.error = null;
      this.asOfMs = Date.now();
    } catch (error) {
      if (running.signal.aborted) return;
      this.error = error instanceof ApiError ? error : new ApiError(0, 'failed', String(error));
    }
    this.nowMs = Date.now();
    if (document.visibilityState === 'visible') {
      this.#timer = setTimeout(() => void this.refresh(), this.#everyMs);
    }
  }
}
