import type { Cookies } from '@sveltejs/kit';
import type { SessionEnd } from '$lib/words/session-end';

type NoticeEvent = { cookies: Pick<Cookies, 'get' | 'set'>; url: URL };

const COOKIE = 'notice';
const KEPT_SECONDS = 60;
/** What it can say. */
export const NOTICES = [
  'to-continue',
  'session-ended',
  'session-unseen',
  'signed-out',
  'signed-out-everywhere',
  'account-deleted',
] as const;
export type Notice = (typeof NOTICES)[number];

/** The flash message of the sign-in page. `end` says how the session ended, if the message is about that. */
export type Left = { notice: Notice; end: SessionEnd };

const UNKNOWN_END: SessionEnd = { by: null, at: null };

/**
 * Stores a flash message for the sign-in page, to which this request is redirected. It is a cookie and not part of the URL: anybody can
 * make up a URL, and the message must be true.
 */
export function leaveNotice(event: NoticeEvent, notice: Notice, { by, at } = UNKNOWN_END): void {
  setNotice(event, [notice, at ?? '', by ?? ''].join(' ').trim(), KEPT_SECONDS);
}

/** Reads and clears the flash message. `null` if there is none. */
export function takeNotice(event: NoticeEvent): Left | null {
  const left = event.cookies.get(COOKIE);
  if (!left) return null;
  setNotice(event, '', 0);
  const [, name, at, by] = /^(\S+)(?: (\d+) (.{1,100}))?$/.exec(left) ?? [];
  const notice = NOTICES.find((notice) => notice === name);
  if (!notice) return null;
  return { notice, end: at && by ? { by, at: Number(at) } : UNKNOWN_END };
}

function setNotice({ cookies, url }: NoticeEvent, value: string, maxAge: number): void {
  const secure = url.protocol === 'https:';
  cookies.set(COOKIE, value, { path: '/login', httpOnly: true, sameSite: 'lax', secure, maxAge });
}
