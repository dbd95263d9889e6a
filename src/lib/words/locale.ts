/** The language of every word, date and country name. `src/app.html` names it in `lang` as well. */
export const LOCALE = 'en-GB';
