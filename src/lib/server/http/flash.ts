import type { Cookies } from '@sveltejs/kit';

type NoticeEvent = { cookies: Pick<Cookies, 'get' | 'set'>; url: URL };

const COOKIE = 'notice';
const KEPT_SECONDS = 60;
const NOTICES = [
  'to-continue',
  'session-ended',
  'signed-out',
  'signed-out-everywhere',
  'account-deleted',
] as const;
export type Notice = (typeof NOTICES)[number];

/**
 * Leaves word for the sign-in page, to which this request is sent: in a cookie, as an address can be made up by anybody, and what it
 * says must have happened.
 */
export function leaveNotice(event: NoticeEvent, notice: Notice): void {
  setNotice(event, notice, KEPT_SECONDS);
}

/** What was left for the sign-in page, which says it once; `null` when nothing was. */
export function takeNotice(event: NoticeEvent): Notice | null {
  const left = event.cookies.get(COOKIE);
  if (left) setNotice(event, '', 0);
  return NOTICES.find((notice) => notice === left) ?? null;
}

function setNotice({ cookies, url }: NoticeEvent, value: Notice | '', maxAge: number): void {
  const secure = url.protocol === 'https:';
  cookies.set(COOKIE, value, { path: '/login', httpOnly: true, sameSite: 'lax', secure, maxAge });
}
