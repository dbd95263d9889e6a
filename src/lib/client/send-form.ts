import { tick } from 'svelte';
import { applyAction } from '$app/forms';
import { isErrorText, type ErrorText } from '$lib/words/throttled';
import { bringToReader } from './bring-to-reader';
import type { OpenPage } from './open-page.svelte';
import { postForm, type Outcome, type Said } from './post-form';
import { askedIn, hasDialogs, type Asked, type Question } from './question';

/** What of an `ActionForm` changes while it is sent, and what it does then. */
export type Sending = {
  openPage: OpenPage;
  /** Whether a dialog may ask for the password. */
  asks: boolean;
  question: Question | null;
  trouble: ErrorText | null;
  /** The answer is there, and shown. */
  settled: () => void;
  /** It went well. */
  succeeded?: () => void | Promise<void>;
};

/** Posts a form to its action and shows what came of it. Never throws. Loaded when a form is first used: most pages are only read. */
export async function sendForm(
  form: HTMLFormElement,
  submitter: HTMLElement | null,
  sending: Sending,
): Promise<void> {
  const dialog = form.querySelector<HTMLDialogElement>('dialog[open]');
  const outcome = await postForm(form, submitter);
  const asked = sending.asks ? askedNext(outcome, sending.question) : null;
  if (asked) {
    const { loadQuestion } = sending.openPage;
    const parts = hasDialogs() && loadQuestion ? await loadQuestion().catch(() => null) : null;
    // The page asks, as it does without scripts.
    if (!parts) return HTMLFormElement.prototype.submit.call(form);
    // Whoever has closed the dialog meanwhile does not want to any more.
    if (dialog && !dialog.open) return;
    sending.openPage.answers += 1;
    sending.question = { asked, ...parts };
    if (!asked.trouble) await showRefusal(form);
    return;
  }
  closeDialog(form);
  sending.question = null;
  if (outcome.kind === 'said') await show(outcome.result, form, sending);
  else sending.trouble = inWords(outcome);
  await bringToReader(form);
}

/** What the dialog asks next. One that asks already also says what went wrong, and keeps what was typed. */
function askedNext(outcome: Outcome, question: Question | null): Asked | null {
  if (outcome.kind !== 'said') return question && { trouble: inWords(outcome) };
  return outcome.result.type === 'failure' ? askedIn(outcome.result.data) : null;
}

/** The page as the action left it, and then what the action said, also where the page cannot be loaded again. */
async function show(result: Said, form: HTMLFormElement, sending: Sending): Promise<void> {
  const { openPage } = sending;
  const { pathname } = new URL(form.action);
  if (result.type === 'success') {
    HTMLFormElement.prototype.reset.call(form);
    if (!(await openPage.loadAgain())) openPage.outdated = true;
  }
  openPage.answers += 1;
  // Somebody who has gone to another page meanwhile is not told there, but for a redirect.
  if (result.type === 'redirect' || pathname === location.pathname) await applyAction(result);
  // The page in view has no place for what an action of another refuses.
  else if (result.type === 'failure') {
    const { error, otherUser } = result.data ?? {};
    sending.trouble = isErrorText(error) ? error : String(otherUser);
  }
  sending.settled();
  if (result.type === 'success') await sending.succeeded?.();
  if (result.type === 'failure') await showRefusal(form);
}

function inWords(outcome: Exclude<Outcome, { kind: 'said' }>): string {
  switch (outcome.kind) {
    case 'unanswered':
      return 'No answer came from the server, so we cannot say whether this was done. What you typed is still here. Check your connection, and look at a freshly loaded page before you repeat it.';
    case 'unreadable':
      return `Something between you and this site answered in its place (status ${outcome.status}), so we cannot say whether this was done. What you typed is still here. Try again in a moment.`;
    case 'refused':
      return outcome.message;
  }
}

/** A browser without popovers has none open, and knows no `:popover-open`. */
function closeDialog(form: HTMLFormElement) {
  const dialog = form.querySelector('dialog');
  if (dialog?.open) dialog.close();
  else if (dialog?.hidePopover && dialog.matches(':popover-open')) dialog.hidePopover();
}

/** As after a full page load: passwords are typed anew. */
async function showRefusal(form: HTMLFormElement) {
  await tick();
  const passwords = [...form.querySelectorAll<HTMLInputElement>('input[autocomplete$="password"]')];
  for (const input of passwords) {
    input.value = '';
    input.dispatchEvent(new Event('input', { bubbles: true }));
  }
  const wrong = form.querySelector<HTMLElement>('[aria-invalid="true"]');
  (wrong ?? passwords[0])?.focus();
}
