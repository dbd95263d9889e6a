import type { Cookies } from '@sveltejs/kit';

const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const THEME_COOKIE = 'theme';

/** The theme that the visitor chose, `system` by default. It is written into the page, so only known words are returned. */
export function themeOf(cookies: Pick<Cookies, 'get'>): Theme {
  return parseTheme(cookies.get(THEME_COOKIE)) ?? 'system';
}

export function parseTheme(value: unknown): Theme | null {
  return THEMES.find((theme) => theme === value) ?? null;
}
