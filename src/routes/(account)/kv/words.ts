/** The words of the page that shows the stored records. */
export const words = {
  title: 'Records',
  intro: 'Your own records in Workers KV, exactly as they are stored. Nothing of anyone else is here.',
  credential: {
    heading: 'Nothing here is a credential',
    text: 'A credential is what signs somebody in. Here that is the token in the cookie, and only the browser has it: scripts cannot read it, and nothing stored contains it.',
    parts: [
      {
        where: 'In the cookie',
        form: '<user id>.<token>',
        what: 'The credential: 32 random bytes, made at sign-in.',
      },
      {
        where: 'In the key',
        form: 'session:<user id>.<SHA-256 of the token>',
        what: 'A handle. A hash cannot be turned back into its token, and sent as a cookie it is hashed again and fits nothing.',
      },
      {
        where: 'In the value',
        form: '{ … }',
        what: 'Facts about the session. Who copies them, or the whole store, is not signed in.',
      },
    ],
  },
  cut: (count: number) => `The first ${count} of your records, and that of this session.`,
  unlisted: 'Your other records cannot be listed right now. This is the one of this session.',
  expiryUnlisted: 'Not known right now: only the list tells.',
  session: 'A session',
  index: 'The index of your sessions',
  thisSession: 'This session',
  key: 'Key',
  value: 'Value',
  raw: 'On one line, as it is stored',
  metadata: 'Metadata',
  noMetadata: 'None: the record is longer than 1,024 bytes, or the layout has none.',
  same: 'The same as the value, so that listing sessions reads no record.',
  expires: 'Expires',
  never: 'Never. Every record should: this is a fault.',
  fields: {
    heading: 'What the code calls it',
    id: 'session id: the owner and the hash of the token, a handle and not a credential',
    user_id: 'the owner',
    active_expires: 'until then it is used as it is; the first request after it renews it',
    idle_expires: 'until then it can be renewed; then it is over',
    username: 'a copy, for the page view that asks KV alone',
    epoch: 'the user’s session epoch at sign-in: when D1 has another one, this session has ended',
    created_at: 'the sign-in; 90 days after it the session ends however much it is used',
    proved_at: 'when the password was last given',
    device: 'what the browser said it was',
    place: 'country and city, never an address',
    name: 'what you called it',
  } as Record<string, string>,
  bound:
    'For a session that is bound to its device D1 holds one thing more: the public half of a key that only that device has. It verifies, and signs nobody in.',
  ended:
    'KV may still show a record for a minute after its session ended. The ledger in D1 refuses it all the same.',
};
