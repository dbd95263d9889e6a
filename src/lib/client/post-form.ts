import type { ActionResult } from '@sveltejs/kit';
import { deserialize } from '$app/forms';

/** Longer than any action takes whose stores are slow. What is not answered by then may still be done. */
const WAIT_MILLISECONDS = 60_000;

/** What an action said. */
export type Said = Exclude<ActionResult, { type: 'error' }>;

/**
 * What became of a form. `said`: the action's own result. `refused`: the app answered with an error, which says why. `unreadable`: an answer
 * came that is not the app's (a firewall, the platform, a proxy). `unanswered`: none came.
 */
export type Outcome =
  | { kind: 'said'; result: Said }
  | { kind: 'refused'; status: number; message: string }
  | { kind: 'unreadable'; status: number }
  | { kind: 'unanswered' };

/** Posts a form to its action. Never throws. `use:enhance` would not tell the last three apart, and gives no status. */
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
    // Without a status the request got nowhere, or its answer did not.
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
  // Some other JSON: a proxy's, an API gateway's.
  return { kind: 'unreadable', status };
}

/** Its fields, and the pressed button's value. No form here sends a file. */
function fieldsOf(form: HTMLFormElement, submitter: HTMLElement | null): URLSearchParams {
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === 'string') fields.append(name, value);
  if (submitter instanceof HTMLButtonElement && submitter.name)
    fields.append(submitter.name, submitter.value);
  return fields;
}
