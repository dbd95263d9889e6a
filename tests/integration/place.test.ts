import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { requestFacts } from '$lib/server/sessions/request-facts';
import { Browser } from '../setup/browser';

/** Returns the place of a request, from what Cloudflare's edge reports. */
function placeBy(cf: { country?: unknown; city?: unknown } | undefined) {
  const event = new Browser().request({ kv: env.SESSIONS, db: env.DB, layout: 'owner' });
  return requestFacts({ ...event, platform: { cf } }).origin.place;
}

describe('the place of a sign-in', () => {
  it.each(['DE', 'BR', 'T1', 'XX'])(
    'the place of a sign-in has the country %s as the edge reports it',
    (country) => {
      expect(placeBy({ country }).country).toBe(country);
    },
  );

  it('a sign-in has no country if the edge reports something that is no code', () => {
    for (const country of [undefined, null, 49, '', 'de', 'D', 'DEU', 'T2', 'Call me', 'D\u202eE', ['DE']])
      expect(placeBy({ country }).country).toBeNull();
  });

  it.each(['Berlin', 'São Paulo', "L'Aquila", 'Saint-Étienne', '東京', 'Ağrı'])(
    'the place of a sign-in has the city of %s',
    (city) => {
      expect(placeBy({ city }).city).toBe(city);
    },
  );

  it.each([
    ['an override of the direction', 'Ber\u202elin', 'Berlin'],
    ['an isolate', '\u2066Berlin\u2069', 'Berlin'],
    ['NUL and an escape sequence', 'Ber\u0000\u001b[31mlin', 'Ber[31mlin'],
    ['characters without width', 'Ber\u200blin\ufeff', 'Berlin'],
    ['a new line', 'Berlin\r\nSet-Cookie: x', 'Berlin Set-Cookie: x'],
    ['a line separator', 'Berlin\u2028Mitte', 'Berlin Mitte'],
    ['white space', '  New \t  York  ', 'New York'],
    ['nothing but Hangul fillers', '\u3164\u115f', null],
    ['nothing but no width', '\u200b', null],
    ['nothing but spaces', '   ', null],
    ['nothing', '', null],
    ['a number', 7, null],
    ['undefined', undefined, null],
  ])('the city of a place shows nothing invisible: %s', (_, city, shown) => {
    expect(placeBy({ city }).city).toBe(shown);
  });

  it('a city is cut at 60 characters and never inside one', () => {
    expect(placeBy({ city: 'x'.repeat(200) }).city).toBe('x'.repeat(60));
    expect(placeBy({ city: '🔑'.repeat(200) }).city).toBe('🔑'.repeat(60));
    // Compared as a boolean, because a lone surrogate in a report breaks the reporter.
    expect(placeBy({ city: 'Ber\ud83dlin' }).city === 'Berlin').toBe(true);
  });

  it('without the edge, the place is unknown', () => {
    expect(placeBy(undefined)).toEqual({ country: null, city: null });
  });
});
