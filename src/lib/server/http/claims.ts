import { answers } from '$lib/words/error';
import { claims as words } from '$lib/words/claims';
import type { Stores } from '../stores/guarded';
import type { Deeds, WriteName } from '../stores/writes';

/** What an error page says about the requested action. */
export type Claim = {
  title: string;
  text: string;
  /** Where to look or continue. `null`: the page the visitor came from. */
  next: { href: string; label: string } | null;
};

type Next = keyof typeof words.next;
type Told = keyof typeof words.done;

/** Where the visitor can see the result. Without an entry: the page they came from. */
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
 * The only place that decides what an error claims. It goes by what the stores were asked to write in this request and what they answered.
 * It says that nothing changed only if no write of the ledger began, or if every write that began reported no change.
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
  // A password proof is worth mentioning only if nothing followed it.
  const sentences = done
    .filter((name) => name !== 'step-up' || name === last)
    .map((name) => words.done[name]);
  if (!deeds.has('sign-in-here')) {
    return { title: titleOf(last, 'done'), text: sentences.join(' '), next: nextOf(last) };
  }
  const text = [...sentences, words.signInHere].join(' ');
  return { title: words.titles.signInHere, text, next: link('/login') };
}

/** A failed try or a proof is not what the visitor asked for, so the title does not mention it. */
function titleOf(name: Told, kind: 'done' | 'unknown'): string {
  return words.titles[name === 'failed-try' || name === 'step-up' ? 'nothing' : kind];
}

/** The body of the 503 for a store that failed in this request, or `null` if none failed. */
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
