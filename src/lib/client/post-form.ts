import type { ActionResult } from '@sveltejs/kit';
import { deserialize } from '$app/forms';

/** Longer than any action takes, even with slow stores. An action that has not answered by then may still succeed. */
const WAIT_MILLISECONDS = 60_000;

/** The result of an action. */
export type Said = Exclude<ActionResult, { type: 'error' }>;

/**
 * The outcome of sending a form. `said`: the action's own result. `refused`: the app returned an error with its reason. `unreadable`: the
 * response is not the app's (a firewall, the platform, a proxy). `unanswered`: there was no response.
 */
export type Outcome =
  | { kind: 'said'; result: Said }
  | { kind: 'refused'; status: number; message: string }
  | { kind: 'unreadable'; status: number }
  | { kind: 'unanswered' };

/** Posts a form to its action. Never throws. `use:enhance` does not distinguish the last three outcomes and does not report the status. */
export async function postForm(form: HTMLFormElement, submitter: HTMLElement | null): Promise<Outcome> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), WAIT_MILLISECONDS);
  let status: number | undefined;
  try {
    const response = await fetch(form.action, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        'x-sveltekit-action': 'true',
        'content-type': 'application/x-www-form-urlencoded',
      },
      cache: 'no-store',
      body: fieldsOf(form, submitter),
      signal: limit.signal,
    });
    status = response.status;
    return outcomeOf(deserialize(await response.text()), status);
  } catch {
    // Without a status, either the request or its response was lost.
    return status === undefined ? { kind: 'unanswered' } : { kind: 'unreadable', status };
  } finally {
    clearTimeout(timer);
  }
}

function outcomeOf(result: ActionResult, status: number): Outcome {
  switch (result.type) {
    case 'success':
    case 'failure':
    case 'redirect':
      return { kind: 'said', result };
    case 'error':
      if (typeof result.error?.message !== 'string') break;
      return { kind: 'refused', status, message: result.error.message };
  }
  // This is JSON from something else, such as a proxy or an API gateway.
  return { kind: 'unreadable', status };
}

/** Returns the form's fields and the value of the pressed button. No form here sends a file. */
function fieldsOf(form: HTMLFormElement, submitter: HTMLElement | null): URLSearchParams {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === 'string') fields.append(name, value);
  if (submitter instanceof HTMLButtonElement && submitter.name)
    fields.append(submitter.name, submitter.value);
  return fields;
}
