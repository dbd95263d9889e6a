import { answers } from '$lib/words/error';
import { claims as words } from '$lib/words/claims';
import type { Stores } from '../stores/guarded';
import type { Deeds, WriteName } from '../stores/writes';

/** What an error says of what was asked. */
export type Claim = {
  title: string;
  text: string;
  /** Where to look, or to go on; `null`: where one was. */
  next: { href: string; label: string } | null;
};

type Next = keyof typeof words.next;
type Told = keyof typeof words.done;

/** Where one sees what became of it. The others: where one was. */
const NEXT: Partial<Record<WriteName, Next>> = {
  'sign-up': '/login',
  'sign-in': '/login',
  'sign-out': '/sessions',
  'end-one': '/sessions',
  'end-some': '/sessions',
  'answer-moves': '/sessions',
  'end-others': '/sessions',
  'end-all': '/sessions',
  'change-password': '/login',
  'step-up': '/sessions',
  'delete-account': '/account',
  rename: '/sessions',
};

/**
 * The one place that decides what an error claims, from what the stores were asked to write in this request and what they answered. "As
 * it was" is said only if no write of the ledger began, or all that began answered that they changed nothing.
 */
export function claimOf(deeds: Deeds): Claim {
  const told = [...deeds].filter((deed): deed is [Told, 'done' | 'unknown'] => deed[0] !== 'sign-in-here');
  const unknown = told.find(([, state]) => state === 'unknown')?.[0];
  if (unknown) {
    return { title: titleOf(unknown, 'unknown'), text: words.unknown[unknown], next: nextOf(unknown) };
  }
  const done = told.map(([name]) => name);
  const last = done.at(-1);
  if (!last) return { title: words.titles.nothing, text: words.nothing, next: null };
  // A proof matters only if nothing came of it.
  const sentences = done
    .filter((name) => name !== 'step-up' || name === last)
    .map((name) => words.done[name]);
  if (!deeds.has('sign-in-here')) {
    return { title: titleOf(last, 'done'), text: sentences.join(' '), next: nextOf(last) };
  }
  const text = [...sentences, words.signInHere].join(' ');
  return { title: words.titles.signInHere, text, next: link('/login') };
}

/** Neither is what was asked for. */
function titleOf(name: Told, kind: 'done' | 'unknown'): string {
  return words.titles[name === 'failed-try' || name === 'step-up' ? 'nothing' : kind];
}

/** The body of the 503 for a store that failed in this request; `null` when none did. */
export function storeError({ failed, deeds }: Pick<Stores, 'failed' | 'deeds'>): App.Error | null {
  if (!failed) return null;
  return { message: answers.store[failed.store], store: failed.store, claim: claimOf(deeds) };
}

function nextOf(name: WriteName): Claim['next'] {
  const next = NEXT[name];
  return next ? link(next) : null;
}

function link(href: Next): Claim['next'] {
  return { href, label: words.next[href] };
}
