// The typed client of /api/v1: every request of the pages goes through here.
import type { Every } from './arrivals';
import type {
  Arrivals,
  CaptureDetail,
  CaptureSummary,
  Enrolment,
  Me,
  NewToken,
  Page,
  Problem,
  Timeline,
  TrackDetail,
  TrapSummary,
} from './types';

const BASE = '/api/v1';
/** More pages of traps than this are not read; 10 × 500 traps are shown. */
const TRAP_PAGES_MAX = 10;

/** The server said no, or could not be asked (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly word: string,
    message: string,
    /** Seconds to wait before another try, if the server named them. */
    readonly retryAfterS: number | null = null,
  ) {
    super(message);
  }
}

type Query = Record<string, string | number | boolean | null | undefined>;

/** `path` under /api/v1 with the parameters that are given. */
export function url(path: string, query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) params.set(key, String(value));
  }
  const text = params.toString();
  return BASE + path + (text === '' ? '' : `?${text}`);
}

let onLoggedOut: () => void = () => undefined;

/** Calls `act` whenever a request is answered `401`, the login itself excepted. */
export function whenLoggedOut(act: () => void): void {
  onLoggedOut = act;
}

async function problemOf(response: Response): Promise<ApiError> {
  const fallback = { error: 'unknown', message: `The server answered ${response.status}.` };
  const body: Partial<Problem> = await response.json().catch(() => fallback);
  const wait = Number(response.headers.get('Retry-After') ?? Number.NaN);
  return new ApiError(
    response.status,
    body.error ?? fallback.error,
    body.message ?? fallback.message,
    Number.isFinite(wait) ? wait : null,
  );
}

async function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(path, { credentials: 'same-origin', ...init }).catch((error) => {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'unreachable', 'The server cannot be reached.');
  });
  if (response.ok) return response;
  const error = await problemOf(response);
  if (error.status === 401 && error.word !== 'bad_login') onLoggedOut();
  throw error;
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await ask(path, signal ? { signal } : {});
  return (await response.json()) as T;
}

export async function login(name: string, password: string): Promise<Me> {
  const response = await ask(url('/login'), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name, password }),
  });
  return (await response.json()) as Me;
}

export async function logout(): Promise<void> {
  await ask(url('/logout'), { method: 'POST' });
}

async function post(path: string, body: unknown): Promise<Response> {
  return ask(url(path), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

export const enrolment = (signal?: AbortSignal): Promise<Enrolment> =>
  get(url('/enrolment'), signal);

export async function makeToken(uses: number, days: number, prefix: string): Promise<NewToken> {
  const response = await post('/enrolment/tokens', { uses, days, prefix });
  return (await response.json()) as NewToken;
}

export async function revokeToken(id: string): Promise<void> {
  await post(`/enrolment/tokens/${encodeURIComponent(id)}/revoke`, {});
}

/** Accepts the trap that shows this code; gives its name. */
export async function acceptTrap(code: string, name: string): Promise<string> {
  const path = `/enrolment/pending/${encodeURIComponent(code)}`;
  const response = await post(path, { decision: 'accept', name: name === '' ? null : name });
  return ((await response.json()) as { name: string }).name;
}

export async function dismissTrap(code: string): Promise<void> {
  await post(`/enrolment/pending/${encodeURIComponent(code)}`, { decision: 'dismiss' });
}

/** Decides about a copied card; without a card the trap as a whole goes on. */
export async function resolveCard(
  trapId: string,
  card: string | null,
  decision: 'same' | 'anew',
): Promise<void> {
  await post(`/enrolment/parked/${encodeURIComponent(trapId)}`, { card, decision });
}

export const me = (): Promise<Me> => get<Me>(url('/me'));

/** All traps by name; `sinceMs` is where today starts. */
export async function traps(sinceMs: number, signal?: AbortSignal): Promise<TrapSummary[]> {
  const all: TrapSummary[] = [];
  let after: string | null = null;
  for (let page = 0; page < TRAP_PAGES_MAX; page += 1) {
    const query: Query = { since_ms: sinceMs, limit: 500, after };
    const answer: Page<TrapSummary> = await get(url('/traps', query), signal);
    all.push(...answer.items);
    after = answer.next;
    if (after === null) break;
  }
  return all;
}

export const trap = (id: string, sinceMs: number, signal?: AbortSignal): Promise<TrapSummary> =>
  get(url(`/traps/${encodeURIComponent(id)}`, { since_ms: sinceMs }), signal);

export const timeline = (
  id: string,
  fromMs: number,
  untilMs: number,
  signal?: AbortSignal,
): Promise<Timeline> =>
  get(
    url(`/traps/${encodeURIComponent(id)}/timeline`, { from_ms: fromMs, until_ms: untilMs }),
    signal,
  );

export const arrivals = (
  id: string,
  fromMs: number,
  untilMs: number,
  every: Every,
  signal?: AbortSignal,
): Promise<Arrivals> =>
  get(
    url(`/traps/${encodeURIComponent(id)}/arrivals`, {
      from_ms: fromMs,
      until_ms: untilMs,
      every,
    }),
    signal,
  );

const trackPath = (trapId: string, id: string): string =>
  `/tracks/${encodeURIComponent(trapId)}/${encodeURIComponent(id)}`;

export const track = (trapId: string, id: string, signal?: AbortSignal): Promise<TrackDetail> =>
  get(url(trackPath(trapId, id)), signal);

/** The insect, cut from the picture of that capture. */
export const cropUrl = (trapId: string, id: string, capture: string): string =>
  url(`${trackPath(trapId, id)}/crop`, { capture });

export type CaptureFilter = {
  trap: string;
  from_ms?: number;
  until_ms?: number;
  has_detections?: boolean;
  /** Without a flaw, or with one. */
  good?: boolean;
  order?: 'newest' | 'oldest';
  limit?: number;
  after?: string | null;
};

export const captures = (
  filter: CaptureFilter,
  signal?: AbortSignal,
): Promise<Page<CaptureSummary>> => get(url('/captures', filter), signal);

export const captureDetail = (
  trapId: string,
  id: string,
  signal?: AbortSignal,
): Promise<CaptureDetail> => get(capturePath(trapId, id), signal);

const capturePath = (trapId: string, id: string): string =>
  url(`/captures/${encodeURIComponent(trapId)}/${encodeURIComponent(id)}`);

export const pictureUrl = (trapId: string, id: string): string =>
  `${capturePath(trapId, id)}/picture`;

export const thumbnailUrl = (trapId: string, id: string): string =>
  `${capturePath(trapId, id)}/thumbnail`;

export type CsvList = 'captures' | 'readings' | 'effort' | 'detections' | 'tracks' | 'arrivals';

export const csvUrl = (
  list: CsvList,
  trapId: string,
  fromMs: number | null,
  untilMs: number | null,
  onlyGood = false,
): string =>
  url(`/${list}.csv`, {
    trap: trapId,
    from_ms: fromMs,
    until_ms: untilMs,
    good: onlyGood && (list === 'captures' || list === 'detections') ? true : null,
  });
