import { tick } from 'svelte';
import { applyAction } from '$app/forms';
import { isErrorText, type ErrorText } from '$lib/words/throttled';
import { bringToReader } from './bring-to-reader';
import type { OpenPage } from './open-page.svelte';
import { postForm, type Outcome, type Said } from './post-form';
import { askedIn, hasDialogs, type Asked, type Question } from './question';

/** The state of an `ActionForm` that changes while it is sent, and its callbacks. */
export type Sending = {
  openPage: OpenPage;
  /** Whether a dialog may ask for the password. */
  asks: boolean;
  question: Question | null;
  trouble: ErrorText | null;
  /** Called when the response has arrived and is shown. */
  settled: () => void;
  /** Called on success. */
  succeeded?: () => void | Promise<void>;
};

/** Posts a form to its action and shows the outcome. Never throws. Loaded when a form is first used, because most pages are only read. */
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
    // The page asks for the password, as it does without scripts.
    if (!parts) return HTMLFormElement.prototype.submit.call(form);
    // A user who has closed the dialog in the meantime has changed their mind.
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

/** Returns what the dialog asks next. If a dialog is already asking, it also shows what went wrong and keeps what was typed. */
function askedNext(outcome: Outcome, question: Question | null): Asked | null {
  if (outcome.kind !== 'said') return question && { trouble: inWords(outcome) };
  return outcome.result.type === 'failure' ? askedIn(outcome.result.data) : null;
}

/** Reloads the page and then shows the action's result. It shows the result even if the page cannot be reloaded. */
async function show(result: Said, form: HTMLFormElement, sending: Sending): Promise<void> {
  const { openPage } = sending;
  const { pathname } = new URL(form.action);
  if (result.type === 'success') {
    HTMLFormElement.prototype.reset.call(form);
    if (!(await openPage.loadAgain())) openPage.outdated = true;
  }
  openPage.answers += 1;
  // A user who has gone to another page in the meantime does not see the result there, unless it is a redirect.
  if (result.type === 'redirect' || pathname === location.pathname) await applyAction(result);
  // The current page has no place to show a refusal by another page's action. The form shows it.
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

/** A browser without popovers has none open. It would also throw at `:popover-open`. */
function closeDialog(form: HTMLFormElement) {
  const dialog = form.querySelector('dialog');
  if (dialog?.open) dialog.close();
  else if (dialog?.hidePopover && dialog.matches(':popover-open')) dialog.hidePopover();
}

/** Empties the passwords, as a full page load would, so that they are typed again. */
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
