import { describe, expect, it } from 'vitest';
import confusables from 'unhomoglyph/data.json';
import { BADGES } from '$lib/badges';
import { imitatesBadge } from '$lib/server/sessions/look-alikes';
import { judge, shownDevice, shownName, shownPlace } from '$lib/server/sessions/readable';
import { isolated } from '$lib/isolated';
import { escaped } from '$lib/visible-text';

const MAX = 40;
const faultOf = (text: string) => judge(text, MAX).fault;

describe('a name that people use stays as it is', () => {
  it.each([
    'Phone in the kitchen',
    'Büro, 3. Stock (links)',
    "Anna's MacBook – 2nd",
    'Mãe’s iPad',
    'Ağrı',
    '東京の電話',
    '내 노트북',
    'الهاتف المحمول',
    'مي‌خواهم',
    'המחשב של אבא',
    'क्षत्रिय फ़ोन',
    'क्‍ष',
    'โทรศัพท์ที่บ้าน',
    'Điện thoại của Hằng',
    'မြန်မာ ဖုန်း',
    'Новый телефон',
    'Νέο τηλέφωνο',
    '👩‍💻 work',
    '❤️ 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 👍🏽 🇵🇹',
    'New York',
    'Newton',
    'Phone (new)',
    'Removed drive',
    'Moved to Berlin',
    'Device 7',
    'This one',
    '<b>bold</b> & "quoted"',
    'x'.repeat(MAX),
    '🔑'.repeat(MAX),
  ])('a name that people use stays as it is: %s', (name) => {
    expect(judge(name, MAX)).toEqual({ shown: name.normalize('NFC'), fault: null });
  });

  it('spaces around a name are removed, and spaces inside it are reduced to one', () => {
    expect(judge('  New \u00a0  York\u3000', MAX)).toEqual({ shown: 'New York', fault: null });
    expect(judge(' \u00a0 ', MAX)).toEqual({ shown: null, fault: null });
  });
});

describe('a session is renamed to what nobody can see, or what turns the line', () => {
  const code = (text: string) =>
    [...text].map((one) => `U+${one.codePointAt(0)?.toString(16).padStart(4, '0')}`).join(' ');

  it.each(
    [
      '\u200b',
      '\u202e',
      '\u3164',
      '\u0000',
      '\u200d',
      '\u200c',
      '\u2060',
      '\ufeff',
      '\u00ad',
      '\u034f',
      '\u061c',
      '\u115f',
      '\u1160',
      '\u17b4',
      '\u180e',
      '\u200e',
      '\u200f',
      '\u202a',
      '\u202d',
      '\u2066',
      '\u2069',
      '\u206a',
      '\u2800',
      '\ufe0f',
      '\uffa0',
      '\ufff9',
      '\ufffc',
      '\u001b',
      '\u007f',
      '\u0085',
      '\n',
      '\t',
      '\u2028',
      '\ud83d',
      '\udc00',
      '\ue000',
      '\u{e0041}',
      '\u{e0100}',
      '\u{1d159}',
      '\u{1d173}',
      '\u{10ffff}',
      '\u0378',
    ].map((unseen) => [code(unseen), unseen]),
  )('%s alone, within, before and after is refused, and taken out of what is stored', (_, unseen) => {
    expect(judge(unseen, MAX).shown).toBeNull();
    for (const name of [`La${unseen}ptop`, `${unseen}${unseen}Laptop${unseen}.`, `Laptop ${unseen} .`]) {
      const { shown, fault } = judge(name, MAX);
      expect(fault).toBe('unseen');
      expect(shown?.replace(/[ .]/g, '')).toBe('Laptop');
    }
  });

  it('a new line in a stored name is shown as a space', () => {
    expect(judge('Berlin\r\nMitte', MAX)).toEqual({ shown: 'Berlin Mitte', fault: 'unseen' });
  });
});

describe('a name that buries its neighbours under marks', () => {
  it.each(['\u0301', '\u0338', '\u20dd', '\u0488', '\u1ab0', '\u0e47', '\u0f71', '\u064b'])(
    'a name with too many marks (%j) is refused, and cut in what is stored',
    (mark) => {
      const { shown, fault } = judge(`a${mark.repeat(20)}b`, MAX);
      expect(fault).toBe('marks');
      expect([...(shown ?? '')].length).toBeLessThanOrEqual(8);
    },
  );

  it('a name that begins with a mark is refused, and begins with its first letter in what is stored', () => {
    expect(judge('\u0301\u0308Laptop', MAX)).toEqual({ shown: 'Laptop', fault: 'marks' });
    expect(judge('\u0301', MAX)).toEqual({ shown: null, fault: 'marks' });
  });
});

describe('a name that is too long', () => {
  it('a name that is too long is counted in code points, and cut between characters', () => {
    expect(judge('x'.repeat(MAX + 1), MAX)).toEqual({ shown: 'x'.repeat(MAX), fault: 'too-long' });
    expect(judge('🔑'.repeat(MAX + 1), MAX)).toEqual({ shown: '🔑'.repeat(MAX), fault: 'too-long' });
    const family = '👩‍👩‍👧';
    expect(judge(family.repeat(9), MAX)).toEqual({ shown: family.repeat(8), fault: 'too-long' });
    expect(judge('e\u0323\u0302\u0301'.repeat(MAX), MAX).shown).not.toMatch(/\p{M}{4}/u);
    expect(new TextEncoder().encode(judge('🔑'.repeat(900), MAX).shown ?? '').length).toBeLessThanOrEqual(
      4 * MAX,
    );
  });
});

describe('a second "This device": a name that looks like one of our badges', () => {
  it.each([
    'This device',
    'this device',
    'THIS DEVICE',
    ' This  device ',
    'This\u00a0device',
    'Thisdevice',
    'T h i s d e v i c e',
    'This-device',
    '✓ This device',
    '[This device]',
    'Тhis dеvicе',
    'Τhіѕ dеvісе',
    'Тніѕ ԁеⅴісе',
    '𝐓𝐡𝐢𝐬 𝐝𝐞𝐯𝐢𝐜𝐞',
    'Ｔｈｉｓ　ｄｅｖｉｃｅ',
    'ᴛʜɪꜱ ᴅᴇᴠɪᴄᴇ',
    'ᎢᎻᏆᏚ ᎠᎬᏙᏆᏟᎬ',
    'Th1s dev1ce',
    'Thls devlce',
    'Thïs dévïcé',
    'Ⓣⓗⓘⓢ ⓓⓔⓥⓘⓒⓔ',
    '🅃🄷🄸🅂 🄳🄴🅅🄸🄲🄴',
    '🆃🅷🅸🆂 🅳🅴🆅🅸🅲🅴',
    '🇹🇭🇮🇸 🇩🇪🇻🇮🇨🇪',
    'This clevice',
    'MacBook · This device',
    'This device (really)',
    'Bound to this device',
    'Bοund tο this dеvice',
    'This session',
    'New',
    'NEW',
    'new',
    'nеw',
    'Νew',
    'ΝΕW',
    'n.e.w',
    '«New»',
    'New!',
    '🆕',
    '🅽🅴🆆',
    'ⓃⒺⓌ',
    'ɴᴇᴡ',
    'Nevv',
    'Nеԝ',
    'Ñew',
    'Moved',
    'MOVED',
    'Mоvеd',
    'Ⅿoved',
    'rnoved',
    'M0ved',
    'Μονed',
    '— Moved —',
  ])('a name that looks like a badge is refused, and not shown where it is stored: %s', (name) => {
    expect(judge(name, MAX)).toEqual({ shown: null, fault: 'badge' });
  });

  it('a name that looks like a badge is refused even with unseen characters in it, which are not shown either', () => {
    for (const name of ['This\u200b device', '\u202eThis device', 'N\u00adew']) {
      expect(faultOf(name)).toBe('unseen');
      expect(judge(name, MAX).shown).toBeNull();
    }
  });
});

it('every Unicode look-alike of a letter in a badge counts as that letter', () => {
  const fold = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  const missed = Object.entries(confusables).filter(([character, means]) => {
    const letter = fold(means);
    const badge = BADGES.find((one) => one.toLowerCase().includes(letter));
    return /^[a-z]$/.test(letter) && badge && !imitatesBadge(badge.toLowerCase().replace(letter, character));
  });
  expect(missed.map(([one]) => one.codePointAt(0)?.toString(16))).toEqual([]);
});

describe('what a record says is read as it may be shown', () => {
  it('the device in a record is cleaned before it is shown', () => {
    expect(shownDevice({ browser: 'Chrome 131', system: 'Android 10', kind: 'phone' })).toEqual({
      browser: 'Chrome 131',
      system: 'Android',
      kind: 'phone',
    });
    expect(shownDevice({ browser: 'Chr\u202eome', system: 'This device', kind: 'fridge' })).toEqual({
      browser: 'Chrome',
      system: null,
      kind: 'unknown',
    });
    for (const nothing of [undefined, null, {}, { browser: 7, system: ['x'] }])
      expect(shownDevice(nothing)).toEqual({ browser: null, system: null, kind: 'unknown' });
  });

  it('the name and the place in a record are cleaned before they are shown', () => {
    expect(shownName('My\u200b phone')).toBe('My phone');
    expect([shownName('\u3164'), shownName(''), shownName(undefined), shownName(7)]).toEqual(
      Array(4).fill(null),
    );
    expect(shownPlace({ country: 'de', city: 'Ber\u0000lin' })).toEqual({ country: null, city: 'Berlin' });
  });

  it('/kv shows unseen characters as escapes: the same JSON', () => {
    const json = JSON.stringify({ name: `a\u202eb\u0000\u{e0041}${'\u0301'.repeat(20)}`, city: 'São Paulo' });
    const shown = escaped(json);
    expect(JSON.parse(shown)).toEqual(JSON.parse(json));
    expect(shown).not.toMatch(/[\p{Cf}\p{Cc}]|\p{M}{4}/u);
    expect(shown).toContain('São Paulo');
  });

  it('right-to-left text stays isolated inside a sentence', () => {
    expect(isolated('Laptop')).toBe('Laptop');
    expect(isolated('המחשב 7')).toBe('\u2068המחשב 7\u2069');
  });
});
