/** The language of every word, date and country name, and of `<html lang>`. */
export const LOCALE = 'en-GB';
