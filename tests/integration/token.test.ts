import { describe, expect, it } from 'vitest';
import { TOKEN_BYTES } from '$lib/server/policy';
import { createToken, isSessionIdOf, parseCookieValue, sessionIdFor } from '$lib/server/sessions/token';

const USER = 'abcdefghijklmno';

describe('a session token', () => {
  it('a session token is 32 bytes in base64url, new each time', () => {
    const tokens = new Set(Array.from({ length: 1_000 }, createToken));
    expect(tokens.size).toBe(1_000);
    for (const token of tokens) {
      expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/);
      expect(Buffer.from(token, 'base64url')).toHaveLength(TOKEN_BYTES);
    }
  });

  it('a token is not its session id: presenting the id names another session', () => {
    const token = createToken();
    const sessionId = sessionIdFor(USER, token);
    expect(sessionId).not.toContain(token);
    expect(parseCookieValue(`${USER}.${token}`)?.sessionId).toBe(sessionId);
    expect(parseCookieValue(sessionId)?.sessionId).not.toBe(sessionId);
  });

  it('a session id is the token’s SHA-256 in base64url', async () => {
    const token = createToken();
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token));
    expect(sessionIdFor(USER, token)).toBe(`${USER}.${Buffer.from(digest).toString('base64url')}`);
  });
});

describe('a cookie value', () => {
  const token = 'A'.repeat(43);
  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['a token without a user', token],
    ['a user without a token', USER],
    ['no token after the dot', `${USER}.`],
    ['no user before the dot', `.${token}`],
    ['truncated', `${USER}.${token.slice(1)}`],
    ['too long by one', `${USER}.${token}A`],
    ['doubled', `${USER}.${token}${USER}.${token}`],
    ['another dot', `${USER}.x.${token}`],
    ['8 KB', `${USER}.${'A'.repeat(8192)}`],
    ['8 KB of user', `${'a'.repeat(8192)}.${token}`],
    ['not ASCII', `${USER}.${'é'.repeat(43)}`],
    ['a line break at its end', `${USER}.${token}\n`],
    ['a space in front', ` ${USER}.${token}`],
    ['a KV prefix', `session:${USER}.${token}`],
  ])('a cookie value that is %s is no session', (_, value) => {
    expect(parseCookieValue(value)).toBeNull();
  });
});

describe('a session id', () => {
  const hash = 'B'.repeat(43);
  it('a session id belongs to the user it begins with, and to no other', () => {
    expect(isSessionIdOf(USER, `${USER}.${hash}`)).toBe(true);
    expect(isSessionIdOf(USER, `${USER}x.${hash}`)).toBe(false);
    expect(isSessionIdOf(USER.slice(1), `${USER}.${hash}`)).toBe(false);
    expect(isSessionIdOf(USER, `${USER}.${hash}x`)).toBe(false);
    expect(isSessionIdOf(USER, '')).toBe(false);
  });
});
