/** The language of all texts, dates and country names, and of `<html lang>`. */
export const LOCALE = 'en-GB';
