/**
 * What a check has seen: `broken` keeps something from working, `note` is worth knowing. `mend` says what to do.
 * @typedef {{ mark: 'ok' | 'note' | 'broken', text: string, mend?: string }} Finding
 */

/** @typedef {{ root: string, env: NodeJS.ProcessEnv }} Place the project's folder, and the environment of the run */

/**
 * @param {string} text
 * @returns {Finding}
 */
export const ok = (text) => ({ mark: 'ok', text });

/**
 * @param {string} text
 * @param {string} [mend]
 * @returns {Finding}
 */
export const note = (text, mend) => ({ mark: 'note', text, mend });

/**
 * @param {string} text
 * @param {string} mend
 * @returns {Finding}
 */
export const broken = (text, mend) => ({ mark: 'broken', text, mend });
