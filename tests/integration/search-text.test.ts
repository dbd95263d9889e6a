import { expect, it } from 'vitest';
import { folded } from '$lib/search-text';

it.each([
  ['sao paulo', 'São Paulo, Brazil'],
  ['SÃO PAULO', 'Sa\u0303o Paulo'],
  ['buro', 'Büro'],
  ['büro', 'BURO'],
  ['Cafe\u0301', 'Caf\u00e9'],
  ['caf\u00e9', 'CAFE\u0301'],
  ['strasse', 'Straße 7'],
  ['STRASSE', 'straße'],
  ['straße', 'Strasse'],
  ['agri', 'Ağrı'],
  ['istanbul', 'İstanbul'],
  ['istanbul', 'ISTANBUL'],
  ['ısparta', 'Isparta'],
  ['kobenhavn', 'København'],
  ['lodz', 'Łódź'],
  ['ｌａｐｔｏｐ', 'Laptop'],
  ['εγω', 'Εγώ'],
  ['οδυσσευς', 'ΟΔΥΣΣΕΎΣ'],
  ['елка', 'Ёлка'],
  ['東京', '東京の電話'],
  ['हिन्दी', 'हिन्दी'],
])('the search %j finds %j', (sought, text) => {
  expect(folded(text)).toContain(folded(sought));
});

it('the search distinguishes what differs in more than accents and case', () => {
  expect(folded('हिन्दी')).not.toBe(folded('हनद'));
  expect(folded('Porto')).not.toContain(folded('part'));
});
