import type { Device } from '$lib/session-view';
import { TOOLS } from './tools';

/** An app that the user agent does not name. */
const IN_APP = 'In-app browser';

/**
 * Names of browsers and apps, each with its pattern in a user agent. A capture group is the major version. The first match counts, so
 * browsers that also call themselves Chrome or Safari come before those.
 */
const BROWSERS: [name: string, pattern: RegExp][] = [
  ['Instagram', /\bInstagram\b/],
  ['Threads', /\bBarcelona \d/],
  ['Messenger', /\bFBAN\/Messenger|\bFB_IAB\/(?:Orca|MESSENGER)/],
  ['Facebook', /\bFB(?:AN|AV|_IAB)\//],
  ['TikTok', /\b(?:musical_ly|trill)_|\bTikTok\b/],
  ['WeChat', /\bMicroMessenger\//],
  ['LINE', /\bLine\//],
  ['Snapchat', /\bSnapchat\b/],
  ['WhatsApp', /\bWhatsApp\b/],
  ['Telegram', /\bTelegram\b/],
  ['LinkedIn', /\bLinkedInApp\b/],
  ['Pinterest', /\bPinterest\b/],
  ['X', /\bTwitter(?: for i|Android)/],
  ['Reddit', /\bReddit(?:Android)?\b/i],
  ['KakaoTalk', /\bKAKAOTALK\b/i],
  ['NAVER', /\bNAVER\(/],
  ['Zalo', /\bZalo\b/],
  ['Weibo', /\bWeibo\b/i],
  ['QQ', /\bQQ\//],
  ['Discord', /\bDiscord\b/i],
  ['Slack', /\bSlack(?:_SSB)?\//],
  ['Microsoft Teams', /\bTeams\//],
  ['Google app', /\bGSA\//],
  ['DuckDuckGo', /\b(?:DuckDuckGo|Ddg)\//],
  ['Ecosia', /\bEcosia\b/],
  ['Edge', product('Edge?|EdgA|EdgiOS')],
  ['Opera GX', product('OPX')],
  ['Opera Mini', product('Opera Mini')],
  ['Opera', product('OPR|OPT|OPiOS')],
  ['Samsung Internet', product('SamsungBrowser')],
  ['Vivaldi', product('Vivaldi')],
  ['Brave', product('Brave')],
  ['Yandex Browser', product('YaBrowser')],
  ['UC Browser', product('UCBrowser')],
  ['Huawei Browser', product('HuaweiBrowser')],
  ['Mi Browser', product('MiuiBrowser')],
  ['Vivo Browser', product('VivoBrowser')],
  ['OPPO Browser', product('HeyTapBrowser')],
  ['QQ Browser', product('M?QQBrowser')],
  ['Whale', product('Whale')],
  ['Silk', product('Silk')],
  ['Quest Browser', product('OculusBrowser')],
  ['Firefox Focus', product('Focus|Klar')],
  ['Firefox', product('Firefox|FxiOS')],
  ['Internet Explorer', /\bTrident\/|\bMSIE /],
  [IN_APP, /; wv\)|\bElectron\//],
  ['Chrome', product('Chrome|HeadlessChrome|CriOS')],
  // On other systems, "Safari" only claims compatibility.
  ['Safari', /^[^(]*\((?:Macintosh|iPhone|iPad|iPod)\b.*?\bVersion\/(?:(\d{1,3})\b)?/],
];

/** Brands of `Sec-CH-UA`. They count if the user agent says Chrome, as Brave's does. The most specific comes first. */
const BRANDS: [brand: string, name: string][] = [
  ['Android WebView', IN_APP],
  ['Brave', 'Brave'],
  ['Vivaldi', 'Vivaldi'],
  ['Opera GX', 'Opera GX'],
  ['Opera', 'Opera'],
  ['Microsoft Edge', 'Edge'],
  ['Samsung Internet', 'Samsung Internet'],
  ['YaBrowser', 'Yandex Browser'],
  ['Whale', 'Whale'],
  ['DuckDuckGo', 'DuckDuckGo'],
  ['Ecosia', 'Ecosia'],
];

/**
 * Systems by name only, because browsers froze the versions (every Windows is 10, macOS 10.15.7, Android 10, iOS 18). "desktop" is anything
 * that asks for pages the way a desktop does.
 */
const SYSTEMS: [name: string, pattern: RegExp, kind: Device['kind'] | 'by form factor'][] = [
  ['iPad', /\biPad/, 'tablet'],
  ['iPhone', /\biPhone/, 'phone'],
  ['iPod touch', /\biPod\b/, 'phone'],
  ['HarmonyOS', /\b(?:OpenHarmony|HarmonyOS)\b/, 'by form factor'],
  ['KaiOS', /\bKAIOS\//, 'phone'],
  ['Tizen', /\bTizen\b/, 'unknown'],
  ['webOS', /\bWeb[0O]S\b/, 'unknown'],
  ['PlayStation', /\bPlayStation\b/, 'unknown'],
  ['Xbox', /\bXbox\b/, 'unknown'],
  ['Meta Quest', /\bQuest\b/, 'unknown'],
  ['Android', /\bAndroid\b/, 'by form factor'],
  ['ChromeOS', /\bCrOS\b/, 'desktop'],
  ['Windows', /\bWindows\b/, 'desktop'],
  // Browsers on iPhones and iPads that request desktop pages. Safari on an iPad does so by default, and then looks exactly like a Mac.
  ['iPhone or iPad', /^[^(]*\(Macintosh\b.*\b(?:CriOS|FxiOS|EdgiOS|OPT|GSA|Focus)\//, 'unknown'],
  ['macOS', /^[^(]*\(Macintosh\b.*(?:Chrome|Firefox|PowerShell)\//, 'desktop'],
  ['macOS or iPad', /\bMacintosh\b/, 'desktop'],
  ['Linux', /\bLinux\b|\bX11\b/, 'desktop'],
];

/** Systems by their name in `Sec-CH-UA-Platform`. */
const PLATFORMS = new Map([
  ['"Android"', 'Android'],
  ['"Chrome OS"', 'ChromeOS'],
  ['"Chromium OS"', 'ChromeOS'],
  ['"Linux"', 'Linux'],
  ['"macOS"', 'macOS'],
  ['"Windows"', 'Windows'],
]);

/** Android devices that are neither phone nor tablet, although they request pages like one. */
const TELEVISION = /\b(?:Android TV|GoogleTV|SMART-TV|BRAVIA|AFT[A-Z0-9]+)\b/;

/** The names that `deviceOf` may return, without the browser's version. */
export const BROWSER_NAMES: ReadonlySet<string> = new Set([...TOOLS, ...BROWSERS].map(([name]) => name));
/** Browsers that a client hint may name when the user agent says Chrome. */
export const HINTED_NAMES: ReadonlySet<string> = new Set(BRANDS.map(([, name]) => name));
export const SYSTEM_NAMES: ReadonlySet<string> = new Set(SYSTEMS.map(([name]) => name));

const HEADERS = ['user-agent', 'sec-ch-ua', 'sec-ch-ua-platform', 'sec-ch-ua-mobile'] as const;
const HEADER_MAX_CHARACTERS = 1_024;
const BRAND = /"((?:[^"\\]|\\.)*)";\s*v="(?:(\d{1,3})\b)?/g;

/** The last devices by their headers. A browser sends the same ones with every request, and every confirmed request reads them. */
const known = new Map<string, Device>();
const KNOWN_MAX = 100;

/**
 * Returns what a request's headers say about its browser. Visitors choose these headers, and people read the result in their activity. So
 * the result contains only names from the tables above and a version of at most three digits.
 */
export function deviceOf(headers: Pick<Headers, 'get'>): Device {
  const sent = new Map(
    HEADERS.map((name) => [name, headers.get(name)?.slice(0, HEADER_MAX_CHARACTERS) ?? '']),
  );
  const key = [...sent.values()].join('\n');
  const device = known.get(key) ?? readDevice((name) => sent.get(name) ?? '');
  known.delete(key);
  known.set(key, device);
  const [oldest] = known.keys();
  if (oldest !== undefined && known.size > KNOWN_MAX) known.delete(oldest);
  return device;
}

function readDevice(read: (name: (typeof HEADERS)[number]) => string): Device {
  const userAgent = read('user-agent');
  const tool = TOOLS.find(([, pattern]) => pattern.test(userAgent));
  // A system named by a tool is where it runs, or what it pretends to be.
  if (tool) return { browser: tool[0], system: null, kind: 'tool' };
  const named = browserOf(userAgent);
  // Hints are sent by Chromium. Next to another browser's name they come from a tool that pretends to be that browser.
  const hint = (name: (typeof HEADERS)[number]) => (named[0] === 'Chrome' ? read(name) : '');

  const told = SYSTEMS.find(([, pattern]) => pattern.test(userAgent));
  const hinted = PLATFORMS.get(hint('sec-ch-ua-platform'));
  const [system = null, , kind = 'unknown'] = SYSTEMS.find(([name]) => name === hinted) ?? told ?? [];
  const isMobile = /\b(?:Mobile|Phone)\b/.test(userAgent) || hint('sec-ch-ua-mobile') === '?1';
  // On a phone browsers say "Mobile"; apps and televisions say nothing. If only an Android's hints say so, the visitor requested the
  // desktop page.
  const isBrowser = userAgent.startsWith('Mozilla/') && !TELEVISION.test(userAgent);
  const large = isBrowser && told?.[0] === system ? 'tablet' : 'unknown';
  return {
    browser: label(brandOf(hint('sec-ch-ua')) ?? named),
    system,
    kind: kind === 'by form factor' ? (isMobile ? 'phone' : large) : kind,
  };
}

type Named = [name: string | null, version: string | undefined];

function browserOf(userAgent: string): Named {
  for (const [name, pattern] of BROWSERS) {
    const found = pattern.exec(userAgent);
    if (found) return [name, found[1]];
  }
  return [null, undefined];
}

function brandOf(hint: string): Named | null {
  const versions = new Map([...hint.matchAll(BRAND)].map(([, brand = '', version]) => [brand, version]));
  const [brand, name] = BRANDS.find(([one]) => versions.has(one)) ?? [];
  if (!brand || !name) return null;
  return [name, name === IN_APP ? undefined : versions.get(brand)];
}

/** Matches a product token such as `Chrome/144.0.0.0`. A version that is not a number is left out. */
function product(names: string): RegExp {
  return new RegExp(`\\b(?:${names})/(?:(\\d{1,3})\\b)?`);
}

function label([name, version]: Named): string | null {
  return name && version ? `${name} ${version}` : name;
}
