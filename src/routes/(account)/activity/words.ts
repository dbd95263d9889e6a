import type { EventType } from '$lib/server/sessions/activity';

/** The words of the activity page. */
export const words = {
  title: 'Activity',
  intro: 'What happened to your account in the last 90 days, and which device did it.',
  what: {
    'signed-up': 'Signed up',
    'signed-in': 'Signed in',
    'signed-in-new-device': 'Signed in from a new device',
    'sign-in-failed': 'Somebody tried to sign in with a wrong password',
    'proof-failed': 'A signed-in browser gave a wrong password',
    'device-proof-failed':
      'A session that is bound to its device was used without proof of it, and was refused',
    'signed-out': 'Signed out',
    'session-revoked': 'Ended a session',
    'session-moved': 'A session was used from elsewhere',
    'move-accepted': '“This was me”, of a session’s use elsewhere',
    'move-denied': '“This wasn’t me”, of this session’s use elsewhere',
    'others-revoked': 'Ended all other sessions',
    'all-revoked': 'Signed out everywhere',
    'password-changed': 'Changed the password, which ended all other sessions',
    'ended-by-operator': 'All sessions were ended by the operator of this site',
  } satisfies Record<EventType, string>,
  thisSession: 'This session',
  signedInOn: 'Signed in on',
  usedFrom: 'Used from',
  by: 'By',
  details: 'Details',
  detailsOf: (session: string) => `of ${session}`,
  unknown: 'If you do not recognise something here, end that session and change your password.',
  none: 'Nothing in the last 90 days.',
  noMore: 'Nothing earlier in the last 90 days.',
  older: 'Older',
  newest: 'Back to the newest',
  pages: 'Pages of activity',
};
