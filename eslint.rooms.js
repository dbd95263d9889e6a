/**
 * Imports between the rooms of `src/lib/server` go one way: what stands later in this list may import what stands before it. policy.ts and
 * kv-adapter/ import nothing of the app; auth.ts puts the rooms together, purge.ts for the cron of a Worker, and revocable/ what of them is the kit.
 */
const ROOMS = ['stores', 'sessions', 'throttle', 'accounts', 'http'];

const makers = [
  {
    rooms: ['sessions'],
    group: ['**/sessions/confirmed', './confirmed'],
    importNames: ['confirmed'],
    message: 'Only the ledger’s yes makes a ConfirmedSession: ask `current`.',
  },
  {
    // The kit's user compares the password.
    rooms: ['accounts', 'revocable'],
    group: ['**/sessions/proof', './proof'],
    importNames: ['proven'],
    message: 'Only a password that was compared makes a ProvenSession: ask `accounts`.',
  },
];

/** @param {string} room */
const otherMakers = (room) =>
  makers
    .filter(({ rooms }) => !rooms.includes(room))
    .map(({ group, importNames, message }) => ({ group, importNames, message }));

/** What the rooms below http/ must not know: pages, their words, and the framework. */
const PAGES = {
  group: ['$app/*', '$lib/words/*', '$lib/components/*', '@sveltejs/kit'],
  message: 'This room takes values and throws; http/ and the routes make the answer.',
};

/** @param {string} room */
function patternsOf(room) {
  const later = ROOMS.slice(ROOMS.indexOf(room) + 1);
  return [
    {
      group: [...later.map((name) => `**/${name}/*`), '**/auth', '**/routes/**'],
      message: `${room}/ may import what comes before it: policy, kv-adapter, ${ROOMS.slice(0, ROOMS.indexOf(room) + 1).join(', ')}.`,
    },
    ...(room === 'http' ? [] : [PAGES]),
    ...otherMakers(room),
  ];
}

/**
 * @param {string} room
 * @returns {import('eslint').Linter.Config}
 */
function rulesOf(room) {
  return {
    files: [`src/lib/server/${room}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns: patternsOf(room) }] },
  };
}

/** @type {import('eslint').Linter.Config[]} */
const config = [
  {
    files: ['src/routes/**', 'src/*.ts', 'src/lib/server/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: otherMakers('') }] },
  },
  {
    files: ['src/lib/server/kv-adapter/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['../**', '$*'], message: 'People copy this folder: it imports lucia’s types alone.' },
          ],
        },
      ],
    },
  },
  {
    files: ['src/lib/server/kv-adapter/contract/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ group: ['../../**', '$*'], message: 'The contract travels with the adapter.' }] },
      ],
    },
  },
  {
    files: ['src/lib/server/revocable/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              group: ['**/throttle/*', '**/accounts/*', '**/http/*', '**/auth', '**/routes/**', 'lucia/*'],
              message: 'The kit is sessions/ with stores/ and kv-adapter/, for apps of any kind.',
            },
            PAGES,
            ...otherMakers('revocable'),
          ],
        },
      ],
    },
  },
  ...ROOMS.map(rulesOf),
];

export default config;
