import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BROWSER_NAMES, SYSTEM_NAMES, deviceOf } from '$lib/server/sessions/device';
import { DEVICE_KINDS } from '$lib/session-view';
import { deviceName } from '$lib/words/device';

type Hints = { brands?: string; platform?: string; mobile?: string };

function ofHeaders(userAgent: string | null, { brands, platform, mobile }: Hints = {}) {
  const headers = {
    'user-agent': userAgent,
    'sec-ch-ua': brands,
    'sec-ch-ua-platform': platform,
    'sec-ch-ua-mobile': mobile,
  };
  const sent = Object.entries(headers).flatMap(([name, value]) => (value ? [[name, value] as const] : []));
  const byName = new Map(sent);
  return deviceOf({ get: (name) => byName.get(name) ?? null });
}

const KHTML = '(KHTML, like Gecko)';
const WINDOWS = `Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 ${KHTML}`;
const MAC = `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 ${KHTML}`;
const MAC_WEBKIT = `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 ${KHTML}`;
const LINUX = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 ${KHTML}`;
const ANDROID = `Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 ${KHTML}`;
const IPHONE = (ios: string) =>
  `Mozilla/5.0 (iPhone; CPU iPhone OS ${ios} like Mac OS X) AppleWebKit/605.1.15 ${KHTML}`;
const IPAD = (ios: string) => `Mozilla/5.0 (iPad; CPU OS ${ios} like Mac OS X) AppleWebKit/605.1.15 ${KHTML}`;
const WEBVIEW = (phone: string, chrome: number) =>
  `Mozilla/5.0 (Linux; ${phone}; wv) AppleWebKit/537.36 ${KHTML} Version/4.0 Chrome/${chrome}.0.0.0 Mobile Safari/537.36`;

describe('a device is named by what its browser says of itself', () => {
  // Sent by browsers, apps and tools from 2024 to 2026.
  it.each<[string, string, string]>([
    // Browsers on computers. All of them freeze the version of the system.
    [`${WINDOWS} Chrome/144.0.0.0 Safari/537.36`, 'Chrome 144 on Windows', 'desktop'],
    [`${MAC} Chrome/141.0.0.0 Safari/537.36`, 'Chrome 141 on macOS', 'desktop'],
    [`${LINUX} Chrome/131.0.0.0 Safari/537.36`, 'Chrome 131 on Linux', 'desktop'],
    [
      `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 ${KHTML} Chrome/138.0.0.0 Safari/537.36`,
      'Chrome 138 on ChromeOS',
      'desktop',
    ],
    [`${LINUX} HeadlessChrome/156.0.8078.108 Safari/537.36`, 'Chrome 156 on Linux', 'desktop'],
    [`${WINDOWS} Chrome/144.0.0.0 Safari/537.36 Edg/144.0.0.0`, 'Edge 144 on Windows', 'desktop'],
    [`${MAC} Chrome/130.0.0.0 Safari/537.36 Edg/130.0.2849.46`, 'Edge 130 on macOS', 'desktop'],
    [`${WINDOWS} Chrome/131.0.0.0 Safari/537.36 OPR/116.0.0.0`, 'Opera 116 on Windows', 'desktop'],
    [`${LINUX} Chrome/124.0.0.0 Safari/537.36 Vivaldi/6.7.3329.35`, 'Vivaldi 6 on Linux', 'desktop'],
    [
      `${WINDOWS} Chrome/124.0.0.0 YaBrowser/24.6.0.0 Safari/537.36`,
      'Yandex Browser 24 on Windows',
      'desktop',
    ],
    [`${WINDOWS} Chrome/132.0.0.0 Whale/4.30.291.11 Safari/537.36`, 'Whale 4 on Windows', 'desktop'],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:146.0) Gecko/20100101 Firefox/146.0',
      'Firefox 146 on Windows',
      'desktop',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0',
      'Firefox 140 on macOS',
      'desktop',
    ],
    [
      'Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
      'Firefox 128 on Linux',
      'desktop',
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko',
      'Internet Explorer on Windows',
      'desktop',
    ],
    [
      `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1.15 ${KHTML} Version/18.0 Safari/605.1.15`,
      'Linux',
      'desktop',
    ],
    // An iPad's requests are identical to a Mac's.
    [`${MAC_WEBKIT} Version/26.1 Safari/605.1.15`, 'Safari 26 on macOS or iPad', 'desktop'],
    [`${MAC_WEBKIT} Version/17.5 Safari/605.1.15`, 'Safari 17 on macOS or iPad', 'desktop'],
    [`${MAC_WEBKIT} Version/18.3 Safari/605.1.15 Ddg/18.3`, 'DuckDuckGo on macOS or iPad', 'desktop'],
    [`${MAC_WEBKIT} CriOS/141 Version/11.1.1 Safari/605.1.15`, 'Chrome 141 on iPhone or iPad', 'unknown'],
    [`${MAC_WEBKIT} Version/18.0 FxiOS/137.0 Safari/605.1.15`, 'Firefox 137 on iPhone or iPad', 'unknown'],
    // iPhone and iPad. Since 26, the version of iOS is frozen, too.
    [`${IPHONE('18_7')} Version/26.1 Mobile/15E148 Safari/604.1`, 'Safari 26 on iPhone', 'phone'],
    [`${IPHONE('17_5_1')} Version/17.5 Mobile/15E148 Safari/604.1`, 'Safari 17 on iPhone', 'phone'],
    [`${IPAD('18_6')} Version/18.6 Mobile/15E148 Safari/604.1`, 'Safari 18 on iPad', 'tablet'],
    [`${IPHONE('18_6')} CriOS/140.0.7339.101 Mobile/15E148 Safari/604.1`, 'Chrome 140 on iPhone', 'phone'],
    [`${IPAD('17_7')} CriOS/129.0.6668.69 Mobile/15E148 Safari/604.1`, 'Chrome 129 on iPad', 'tablet'],
    [`${IPHONE('18_4_1')} FxiOS/138.0  Mobile/15E148 Safari/605.1.15`, 'Firefox 138 on iPhone', 'phone'],
    [
      `${IPHONE('18_0')} Version/18.0 EdgiOS/129.0.2792.84 Mobile/15E148 Safari/605.1.15`,
      'Edge 129 on iPhone',
      'phone',
    ],
    [`${IPHONE('18_2')} Version/18.2 Mobile/15E148 Safari/604.1 OPT/5.2.0`, 'Opera 5 on iPhone', 'phone'],
    [
      `${IPHONE('17_6')} Version/17.6 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15`,
      'DuckDuckGo on iPhone',
      'phone',
    ],
    // Without "Safari" it is another app, or this site on the home screen.
    [`${IPHONE('18_6')} Mobile/15E148`, 'iPhone', 'phone'],
    // Android: all Chromium browsers report version and model as "10; K".
    [`${ANDROID} Chrome/144.0.0.0 Mobile Safari/537.36`, 'Chrome 144 on Android', 'phone'],
    [`${ANDROID} Chrome/139.0.0.0 Safari/537.36`, 'Chrome 139 on Android', 'tablet'],
    [
      `Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 ${KHTML} Chrome/122.0.6261.119 Mobile Safari/537.36`,
      'Chrome 122 on Android',
      'phone',
    ],
    [
      `${ANDROID} SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36`,
      'Samsung Internet 29 on Android',
      'phone',
    ],
    [
      `${ANDROID} SamsungBrowser/28.0 Chrome/130.0.0.0 Safari/537.36`,
      'Samsung Internet 28 on Android',
      'tablet',
    ],
    [`${ANDROID} Chrome/140.0.0.0 Mobile Safari/537.36 EdgA/140.0.0.0`, 'Edge 140 on Android', 'phone'],
    [`${ANDROID} Chrome/130.0.0.0 Mobile Safari/537.36 OPR/86.0.0.0`, 'Opera 86 on Android', 'phone'],
    [
      'Mozilla/5.0 (Android 16; Mobile; rv:146.0) Gecko/146.0 Firefox/146.0',
      'Firefox 146 on Android',
      'phone',
    ],
    [
      'Mozilla/5.0 (Android 14; Tablet; rv:131.0) Gecko/131.0 Firefox/131.0',
      'Firefox 131 on Android',
      'tablet',
    ],
    [
      `Mozilla/5.0 (Linux; U; Android 13; en-us; 22101316G Build/TP1A.220624.014) AppleWebKit/537.36 ${KHTML} Version/4.0 Chrome/112.0.5615.136 Mobile Safari/537.36 XiaoMi/MiuiBrowser/14.22.1-gn`,
      'Mi Browser 14 on Android',
      'phone',
    ],
    [
      `Mozilla/5.0 (Linux; U; Android 14; en-US; SM-A546E) AppleWebKit/537.36 ${KHTML} Version/4.0 Chrome/123.0.6312.80 UCBrowser/13.7.8.1322 Mobile Safari/537.36`,
      'UC Browser 13 on Android',
      'phone',
    ],
    [
      `Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 ${KHTML} Silk/128.5.4 like Chrome/128.0.6613.187 Safari/537.36`,
      'Silk 128 on Android',
      'tablet',
    ],
    [
      `Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 ${KHTML} Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile HuaweiBrowser/5.0.4.300`,
      'Huawei Browser 5 on HarmonyOS',
      'phone',
    ],
    // In-app browsers.
    [
      `${IPHONE('17_5')} Mobile/15E148 Instagram 334.0.4.32.98 (iPhone15,3; iOS 17_5; en_US; en; scale=3.00; 1290x2796; 591247480)`,
      'Instagram on iPhone',
      'phone',
    ],
    [
      `${WEBVIEW('Android 13; Pixel 7 Build/TQ3A.230901.001', 117)} Instagram 302.0.0.23.114 Android (33/13; 420dpi; 1080x2209; Google; Pixel 7)`,
      'Instagram on Android',
      'phone',
    ],
    [
      `${IPHONE('26_6_2')} Mobile/15E148 Safari/604.1 Instagram 450.1.0 (iPhone15,5; iOS 26_6_2)`,
      'Instagram on iPhone',
      'phone',
    ],
    [
      `${WEBVIEW('Android 14; SM-S918B Build/UP1A.231005.007', 124)} [FB_IAB/FB4A;FBAV/463.1.0.55.85;]`,
      'Facebook on Android',
      'phone',
    ],
    [
      `${IPHONE('17_4')} Mobile/21E219 [FBAN/FBIOS;FBAV/456.0.0.36.107;FBBV/577022824;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS]`,
      'Facebook on iPhone',
      'phone',
    ],
    [
      `${IPHONE('17_4')} Mobile/21E219 [FBAN/MessengerForiOS;FBAV/450.0.0.35.108;FBDV/iPhone14,5]`,
      'Messenger on iPhone',
      'phone',
    ],
    [
      `${IPHONE('17_2')} Mobile/15E148 musical_ly_34.0.0 JsSdk/2.0 NetType/WIFI Channel/App Store ByteLocale/en Region/US`,
      'TikTok on iPhone',
      'phone',
    ],
    [
      `${WEBVIEW('Android 14; Pixel 7 Build/UP1A.231005.007', 125)} trill_340002 JsSdk/1.0 NetType/WIFI Channel/googleplay AppName/trill app_version/34.0.2 BytedanceWebview/d8a21c6`,
      'TikTok on Android',
      'phone',
    ],
    [
      `${IPHONE('18_1')} Mobile/15E148 MicroMessenger/8.0.53(0x18003531) NetType/WIFI Language/zh_CN`,
      'WeChat on iPhone',
      'phone',
    ],
    [
      `${WEBVIEW('Android 11; vivo 1906 Build/RP1A.200720.012', 126)} Line/14.12.2/IAB`,
      'LINE on Android',
      'phone',
    ],
    [`${IPHONE('17_5_1')} Mobile/15E148 Safari/604.1 Line/14.6.1`, 'LINE on iPhone', 'phone'],
    [
      `${IPHONE('17_2')} Mobile/15E148 Snapchat/12.70.0.34 (like Safari/8617.1.17.10.9, panda)`,
      'Snapchat on iPhone',
      'phone',
    ],
    [`${IPHONE('18_5')} GSA/373.0.772830382 Mobile/15E148 Safari/604.1`, 'Google app on iPhone', 'phone'],
    [`${IPHONE('17_2')} Mobile/15E148 [LinkedInApp]/9.29.6160`, 'LinkedIn on iPhone', 'phone'],
    [
      `${WEBVIEW('Android 14; SM-G991B Build/UP1A.231005.007', 127)} Snapchat/13.5.0.46 (SM-G991B; Android 14#S918BXXU; gzip)`,
      'Snapchat on Android',
      'phone',
    ],
    [`${WEBVIEW('Android 13; CPH2449', 128)} [Pinterest/Android]`, 'Pinterest on Android', 'phone'],
    [`${IPHONE('17_6_1')} Mobile/15E148 [Pinterest/iOS]`, 'Pinterest on iPhone', 'phone'],
    [
      `${WEBVIEW('Android 14; Pixel 8 Build/AP2A.240805.005', 127)} [LinkedInApp]/4.1.958`,
      'LinkedIn on Android',
      'phone',
    ],
    [
      `${WEBVIEW('Android 14; V2312 Build/UP1A.231005.007', 116)} MMWEBID/4421 MicroMessenger/8.0.50.2701(0x28003253) WeChat/arm64 Weixin NetType/5G Language/zh_CN ABI/arm64`,
      'WeChat on Android',
      'phone',
    ],
    [
      `${WEBVIEW('Android 14; SM-S921B Build/UP1A.231005.007', 130)} GSA/15.44.33.28.arm64`,
      'Google app on Android',
      'phone',
    ],
    [`${IPAD('17_7')} GSA/343.0.695551749 Mobile/15E148 Safari/604.1`, 'Google app on iPad', 'tablet'],
    [
      `Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 ${KHTML} Version/4.0 Chrome/126.0.0.0 Mobile DuckDuckGo/5 Safari/537.36`,
      'DuckDuckGo on Android',
      'phone',
    ],
    [
      `${IPHONE('17_5')} FxiOS/Focus/129.0 Focus/129.0 Mobile/15E148 Version/15.0`,
      'Firefox Focus 129 on iPhone',
      'phone',
    ],
    [`${ANDROID} Chrome/128.0.0.0 Mobile Safari/537.36 Vivaldi/6.9.3447.46`, 'Vivaldi 6 on Android', 'phone'],
    [
      `${IPHONE('18_6')} Version/26.2 Mobile/15E148 Safari/604.1 DuckDuckGo/7`,
      'DuckDuckGo on iPhone',
      'phone',
    ],
    [WEBVIEW('Android 14; SM-A546E', 129), 'In-app browser on Android', 'phone'],
    [
      `${MAC} Slack/4.41.105 Chrome/130.0.6723.191 Electron/33.4.0 Safari/537.36 Slack_SSB/4.41.105`,
      'Slack on macOS',
      'desktop',
    ],
    // Tools, on any system.
    ['curl/8.5.0', 'curl', 'tool'],
    ['Wget/1.21.4', 'Wget', 'tool'],
    ['Wget2/2.1.0', 'Wget', 'tool'],
    ['HTTPie/3.2.4', 'HTTPie', 'tool'],
    ['python-requests/2.32.3', 'python-requests', 'tool'],
    ['python-httpx/0.27.2', 'httpx', 'tool'],
    ['Python/3.12 aiohttp/3.10.5', 'Python', 'tool'],
    ['Python-urllib/3.13', 'Python', 'tool'],
    ['Go-http-client/1.1', 'Go-http-client', 'tool'],
    ['Go-http-client/2.0', 'Go-http-client', 'tool'],
    ['node', 'Node.js', 'tool'],
    ['node-fetch/1.0 (+https://github.com/bitinn/node-fetch)', 'Node.js', 'tool'],
    ['undici', 'undici', 'tool'],
    ['axios/1.7.9', 'axios', 'tool'],
    ['got (https://github.com/sindresorhus/got)', 'got', 'tool'],
    ['Deno/2.1.4', 'Deno', 'tool'],
    ['Bun/1.2.2', 'Bun', 'tool'],
    ['PostmanRuntime/7.43.0', 'Postman', 'tool'],
    ['insomnia/10.3.0', 'Insomnia', 'tool'],
    ['okhttp/4.12.0', 'okhttp', 'tool'],
    ['Java-http-client/21.0.5', 'Java', 'tool'],
    ['Dart/3.5 (dart:io)', 'Dart', 'tool'],
    [
      'Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.22621.4391',
      'PowerShell',
      'tool',
    ],
    // Bots that pretend to be a browser on some system.
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'Googlebot', 'tool'],
    [
      `Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 ${KHTML} Chrome/131.0.6778.85 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`,
      'Googlebot',
      'tool',
    ],
    [
      `Mozilla/5.0 AppleWebKit/537.36 ${KHTML}; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36`,
      'Bingbot',
      'tool',
    ],
    [
      `Mozilla/5.0 AppleWebKit/537.36 ${KHTML}; compatible; GPTBot/1.2; +https://openai.com/gptbot)`,
      'Bot',
      'tool',
    ],
    [
      `Mozilla/5.0 AppleWebKit/537.36 ${KHTML}; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)`,
      'Bot',
      'tool',
    ],
    ['facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)', 'Bot', 'tool'],
    ['Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)', 'Bot', 'tool'],
    // A phone made by CUBOT, an app's own requests, and a television.
    [
      `Mozilla/5.0 (Linux; Android 13; CUBOT NOTE 50) AppleWebKit/537.36 ${KHTML} Chrome/124.0.6367.82 Mobile Safari/537.36`,
      'Chrome 124 on Android',
      'phone',
    ],
    ['Dalvik/2.1.0 (Linux; U; Android 14; SM-S911B Build/UP1A.231005.007)', 'Android', 'unknown'],
    [
      `Mozilla/5.0 (Linux; Android 9; AFTKA) AppleWebKit/537.36 ${KHTML} Silk/130.1.1 like Chrome/130.0.6723.102 Safari/537.36`,
      'Silk 130 on Android',
      'unknown',
    ],
    [
      'Opera/9.80 (Android; Opera Mini/36.2.2254/191.249; U; en) Presto/2.12.423 Version/12.16',
      'Opera Mini 36 on Android',
      'unknown',
    ],
    // Nothing recognizable.
    ['Mozilla/5.0', 'Unknown device', 'unknown'],
  ])('the user agent is named correctly: %s', (userAgent, words, kind) => {
    const device = ofHeaders(userAgent);
    expect(deviceName(device)).toBe(words);
    expect(device.kind).toBe(kind);
  });

  it('parts of the user agent that are frozen or mean nothing are left out', () => {
    const words = [
      `${WINDOWS} Chrome/144.0.0.0 Safari/537.36`,
      `${MAC} Chrome/144.0.0.0 Safari/537.36`,
      `${ANDROID} Chrome/144.0.0.0 Mobile Safari/537.36`,
      `${IPHONE('18_6')} Version/26.1 Mobile/15E148 Safari/604.1`,
    ].map((userAgent) => deviceName(ofHeaders(userAgent)));
    expect(words.join()).not.toMatch(/Windows \d|macOS \d|Android \d|iOS|18|10/);
  });

  it.each([null, '', ' ', '-', '%00'])('the user agent %j is an unknown device', (userAgent) => {
    expect(ofHeaders(userAgent)).toEqual({ browser: null, system: null, kind: 'unknown' });
  });
});

describe('client hints say what a user agent hides', () => {
  const chrome = `${WINDOWS} Chrome/141.0.0.0 Safari/537.36`;

  it.each<[string, string, Hints, string]>([
    [
      'Brave',
      chrome,
      { brands: '"Brave";v="141", "Not?A_Brand";v="8", "Chromium";v="141"', platform: '"Windows"' },
      'Brave 141 on Windows',
    ],
    [
      'Chrome',
      chrome,
      { brands: '"Chromium";v="141", "Not=A?Brand";v="24", "Google Chrome";v="141"' },
      'Chrome 141 on Windows',
    ],
    ['Vivaldi', chrome, { brands: '"Vivaldi";v="7.6", "Chromium";v="141"' }, 'Vivaldi 7 on Windows'],
    [
      'Opera GX',
      chrome,
      { brands: '"Opera GX";v="125", "Not(A:Brand";v="99", "Chromium";v="141"' },
      'Opera GX 125 on Windows',
    ],
    [
      'an app with a user agent of its own',
      `${ANDROID} Chrome/138.0.0.0 Mobile Safari/537.36`,
      { brands: '"Not)A;Brand";v="8", "Chromium";v="138", "Android WebView";v="138"', mobile: '?1' },
      'In-app browser on Android',
    ],
    [
      'a filler with quotes and commas',
      chrome,
      { brands: String.raw`"Not\"A,\\;Brand";v="99", "Brave";v="141"` },
      'Brave 141 on Windows',
    ],
    [
      'a browser that nobody knows',
      chrome,
      { brands: '"Account hacked: call 555";v="1"', platform: '"Evil"' },
      'Chrome 141 on Windows',
    ],
    [
      'hints without end',
      chrome,
      { brands: `"${'x'.repeat(9_000)}`, platform: '"'.repeat(9_000) },
      'Chrome 141 on Windows',
    ],
    [
      'Android that asks for the desktop site',
      `${LINUX} Chrome/141.0.0.0 Safari/537.36`,
      { platform: '"Android"', mobile: '?0' },
      'Chrome 141 on Android',
    ],
    [
      'ChromeOS',
      `${LINUX} Chrome/141.0.0.0 Safari/537.36`,
      { platform: '"Chrome OS"' },
      'Chrome 141 on ChromeOS',
    ],
    [
      'a name that the user agent has',
      `${chrome} Edg/141.0.0.0`,
      { brands: '"Chromium";v="141", "Brave";v="141"' },
      'Edge 141 on Windows',
    ],
    [
      'Firefox, with hints of a tool behind it',
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0',
      { brands: '"Brave";v="156"', platform: '"Linux"' },
      'Firefox 140 on Windows',
    ],
  ])('client hints name the device: %s', (_, userAgent, hints, words) => {
    expect(deviceName(ofHeaders(userAgent, hints))).toBe(words);
  });

  it.each([
    ['?1', 'phone'],
    ['?0', 'unknown'],
  ])('the form factor %s is %s', (mobile, kind) => {
    expect(ofHeaders(`${LINUX} Chrome/141.0.0.0 Safari/537.36`, { platform: '"Android"', mobile }).kind).toBe(
      kind,
    );
  });
});

describe('a stranger cannot write into what the owner reads', () => {
  const HOSTILE = 'Account hacked: call +49 30 5550100';

  it.each([
    HOSTILE,
    `${HOSTILE}/1.0 (now)`,
    `${HOSTILE}/1.0 now`,
    `Mozilla/5.0 (${HOSTILE}) ${HOSTILE}/7 Safari/537.36`,
    `Account-hacked/49305550100`,
    `Mozilla/5.0 (${HOSTILE}; Linux; Android 14) Version/${HOSTILE}`,
    `Opera/${HOSTILE}`,
  ])('a stranger cannot write into what the owner reads by the user agent %j', (userAgent) => {
    expect(deviceName(ofHeaders(userAgent))).not.toMatch(/hacked|call|\d{4}/i);
  });

  it('a stranger cannot show the owner a telephone number as a version', () => {
    expect(ofHeaders(`${WINDOWS} Chrome/49305550100 Safari/537.36`).browser).toBe('Chrome');
    expect(ofHeaders('Mozilla/5.0 (X11; Linux) Firefox/4930555').browser).toBe('Firefox');
    expect(ofHeaders(`${LINUX} Chrome/1`, { brands: '"Brave";v="4930555"' }).browser).toBe('Brave');
  });

  it('whatever is sent, a name comes from a closed set, with a version of at most three digits', () => {
    const anyText = fc.string({ unit: 'binary' }).map((characters) => characters.toWellFormed());
    const name = fc.constantFrom(
      ...BROWSER_NAMES,
      ...SYSTEM_NAMES,
      'Version',
      'CriOS',
      'FxiOS',
      'Edg',
      'OPR',
      'FBAN',
    );
    const part = fc.oneof(
      name,
      fc.tuple(name, fc.oneof(fc.nat(), fc.string())).map(([product, version]) => `${product}/${version}`),
      fc.constantFrom(
        'Mozilla/5.0 (',
        ') ',
        '; ',
        'Macintosh',
        'iPhone',
        'Mobile',
        '; wv)',
        'Safari/1',
        HOSTILE,
      ),
      anyText,
    );
    const text = fc.oneof(
      fc.array(part, { maxLength: 20 }).map((parts) => parts.join(' ')),
      anyText,
    );
    const hint = fc.option(
      fc.oneof(
        text,
        text.map((inside) => `"${inside}"`),
        name.map((brand) => `"${brand}";v="7"`),
      ),
      { nil: undefined },
    );
    const hints = fc.record({ brands: hint, platform: hint, mobile: hint });
    fc.assert(
      fc.property(text, hints, (userAgent, sent) => {
        const { browser, system, kind } = ofHeaders(userAgent, sent);
        const [, product = null] = /^(.*?)(?: \d{1,3})?$/s.exec(browser ?? '') ?? [];
        expect(browser === null || BROWSER_NAMES.has(product ?? '')).toBe(true);
        expect(system === null || SYSTEM_NAMES.has(system)).toBe(true);
        expect(DEVICE_KINDS).toContain(kind);
        expect(deviceName({ browser, system, kind }).length).toBeLessThanOrEqual(40);
      }),
      { numRuns: 5_000 },
    );
  });

  it('a stranger cannot keep the server busy with 100 kB of names', () => {
    for (const token of ['Macintosh ', '(iPhone Version/1 ', '"Brave";v=', '"\\', 'Version/', '; wv', '( ']) {
      const long = token.repeat(10_000);
      // Takes the best of several runs, because the machine may be busy with something else.
      const times = Array.from({ length: 10 }, () => {
        const start = performance.now();
        ofHeaders(long, { brands: long, platform: long, mobile: long });
        return performance.now() - start;
      });
      expect(Math.min(...times), token).toBeLessThan(20);
    }
  });
});
