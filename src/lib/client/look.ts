import type { Device } from '$lib/session-view';
import { endedBy, type SessionEnd } from '$lib/words/session-end';

/** A look that takes longer counts as failed. */
const WAIT_MILLISECONDS = 10_000;

/** The result of `GET /api/session`. `unknown` stands for every failure, and for every response that is not the app's. */
export type Look =
  | { kind: 'signed-in'; username: string }
  | { kind: 'ended'; end: SessionEnd }
  | { kind: 'replaced' }
  | { kind: 'unknown' };

const UNKNOWN: Look = { kind: 'unknown' };

/** Asks the server who is signed in in this browser. Never throws. A look does not count as a use of the session. */
export async function look(): Promise<Look> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), WAIT_MILLISECONDS);
  try {
    const response = await fetch('/api/session', {
      headers: { accept: 'application/json' },
      cache: 'no-store',
      signal: limit.signal,
    });
    return await judge(response);
  } catch {
    return UNKNOWN;
  } finally {
    clearTimeout(timer);
  }
}

/** Only the app's own response may end a page. A captive portal's 200, a proxy's 401 or an edge's 409 says nothing about a session. */
export async function judge(response: Response): Promise<Look> {
  const type = response.headers.get('content-type')?.split(';')[0]?.trim();
  const body: unknown = await response.json().catch(() => null);
  if (response.redirected || !isObject(body)) return UNKNOWN;
  if (response.status === 200 && type === 'application/json') {
    const { username } = body;
    return typeof username === 'string' ? { kind: 'signed-in', username } : UNKNOWN;
  }
  if (type !== 'application/problem+json') return UNKNOWN;
  if (response.status === 409) return { kind: 'replaced' };
  return response.status === 401 ? { kind: 'ended', end: endOf(body) } : UNKNOWN;
}

function endOf(body: object): SessionEnd {
  const ended: unknown = 'ended' in body ? body.ended : null;
  if (!isEnding(ended)) return { by: null, at: null };
  return { by: endedBy(ended), at: ended.at };
}

type Ending = { type: string; device: Device; at: number };

function isEnding(value: unknown): value is Ending {
  if (!isObject(value) || typeof value.type !== 'string' || typeof value.at !== 'number') return false;
  const { device } = value;
  return (
    isObject(device) &&
    [device.browser, device.system].every((name) => name === null || typeof name === 'string')
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
