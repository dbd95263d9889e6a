import { BADGES } from '$lib/badges';

/**
 * For each letter of our badges, the characters that look like it and stay different under NFKC. They are the single characters that
 * Unicode's confusables.txt (UTS #39) lists for either case, small capitals, letters with a stroke or hook, and pairs. A test compares this
 * with that list.
 */
const LIKE: Readonly<Record<string, string>> = {
  b: 'ƅьꮟᑲᖯꞵβвᏼᗷꓐ𐊂𐊡𐌁ɓᑳƃбƀҍѣʙ',
  c: 'ᴄςⲥсꮯ𐐽🝌𑣲𑣩σꓚ𐊢𐌂𐔜¢ȼ₡🅮ҫϲ⊂',
  d: 'ԁꮷᑯꓒꭰᗞᗪꓓɗɖƌđð₫ᴅⅾ',
  e: '℮ꬲеҽ⋿εⴹꭼꓰ𑣆𑣎𐊆ɇҿᴇэєꞓ3',
  h: 'һհꮒηⲏнꮋᕼꓧ𐋏ɦꚕᏺⱨңħћӊӈʜꮵ',
  i: 'l1|!⍳ıɪɩιіꙇӏꭵ𑣃⍸ɨᵻᵼ׀∣⏽│١۱𐌠𞣇ǀⲓוןاߊⵏᛁꓲ𖼨𐊊𐌉𝈪ⳑꮮᒪꓡ𖼖𑣒𐑃𐔦łɭƚɫٳꮖⲒ',
  m: 'μϻⲙмꮇᗰᛖꓟ𐊰𐌑ӎᴍʍₘ₥ɱᵯ𑜀𑣣',
  n: 'ոռνⲛꓠ𐔓𐆎ɳƞηɲᵰɴᴎийпո',
  o: '0०੦૦௦౦೦൦๐໐၀٥۵ᴏᴑꬽοσⲟоჿօסهھہەഠဝ𐓪𑣈𑣗𐐬߀০୦〇𑓐𑣠ⵔዐଠꓳ𑣕𐊒𐊫𐔖ۿøꬾⵁɵꝋөѳꮎꮻ⊖⊝⍬𝈚🜔θⴱꭴတ',
  s: 'ꜱƽѕꮪ𑣁𐑈տꮥꓢ𖼺𐊖ʂᵴ5$',
  t: '⊤⟙🝨τⲧтꭲꓔ𖼊𑣜𐊗𐊱𐌕ƭ⍡ⱦʈҭ₮ŧᵵᴛ†+',
  u: 'ꞟᴜꭎꭒʋυս𐓶𑣘∪⋃ሀᑌꓴ𖽂ᵾꮜʉцμ',
  v: '∨⋁ᴠνѵט𑜆ꮩ𑣀𝈍٧۷ⴸᐯꛟꓦ𖼈𐔝𐆗🜈ʋ',
  w: 'ɯᴡѡԝա𑜊𑜎𑜏ꮃ𑣯𑣦ꮤꓪѽ𑓅₩ꝡωшщⱳ',
};
const PAIRS: Readonly<Record<string, string>> = { d: 'cl', m: 'rn', w: 'vv|uu' };

/** Boxed letters that NFKC leaves unchanged: 🅽, 🅝 and the halves of flags. Each range runs from A to Z. */
const BOXED = [0x1f150, 0x1f170, 0x1f1e6];

/** A pattern for a letter and everything that looks like it. A letter without look-alikes here matches itself and its boxed forms. */
function like(letter: string): string {
  const boxed = BOXED.map((first) => String.fromCodePoint(first + letter.charCodeAt(0) - 'a'.charCodeAt(0)));
  const single = [letter, ...boxed, ...(LIKE[letter] ?? '')].map((one) => one.replace(/[+$|]/, '\\$&'));
  return `(?:${[...single, ...(PAIRS[letter] ? [PAIRS[letter]] : [])].join('|')})`;
}

/** What may stand between, before and after the letters: anything that is neither a letter nor a digit. */
const BETWEEN = '[^\\p{L}\\p{N}]*';

function patternOf(badge: string): RegExp {
  const letters = [...badge.toLowerCase().replaceAll(' ', '')].map(like).join(BETWEEN);
  // A name may well contain "new". A name contains "this device" only to imitate the badge.
  return new RegExp(badge.includes(' ') ? letters : `^${BETWEEN}${letters}${BETWEEN}$`, 'iu');
}

const PATTERNS = BADGES.map(patternOf);

/**
 * Whether a text could be taken for one of our badges. Only letters count, in any case and script, whatever stands between them. A boxed
 * word, and marks that look like a letter, are spelled out first, because they would be removed together with the accents.
 */
export function imitatesBadge(text: string): boolean {
  const spelt = text
    .replaceAll('🆕', 'new')
    .replace(/[\u02db\u037a]/g, 'i')
    .replace(/[\u0c02\u0c82\u0d02\u0d82]/g, 'o');
  const plain = spelt.normalize('NFKC').normalize('NFD').replace(/\p{M}/gu, '');
  return PATTERNS.some((pattern) => pattern.test(plain));
}
