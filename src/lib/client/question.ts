import type { Component, Snippet } from 'svelte';
import { isErrorText, type ErrorText } from '$lib/words/throttled';

/** What a dialog has to say when it asks for the password. */
export type Asked = {
  /** What is wrong with the password that was given. */
  error?: ErrorText;
  /** What became of the request where no answer of the app's came. */
  trouble?: string;
};

export type DialogProps = {
  asked: Asked;
  /** On the button that does it. */
  confirm: string;
  /** The password is asked for however fresh the last proof of it is. */
  always?: boolean;
  pending: boolean;
  /** What will be done, in a sentence. */
  children: Snippet;
};

/** An action waits for the password: what it says, and what shows it. */
export type Question = {
  asked: Asked;
  /** The field, for a dialog that is there. */
  Field: Component<{ asked: Asked }>;
  /** A dialog of its own. */
  Dialog: Component<DialogProps>;
};

/** What an action answered, if it asks for the password. */
export function askedIn(data: Record<string, unknown> | undefined): Asked | null {
  const asked = data?.stepUp;
  if (typeof asked !== 'object' || asked === null) return null;
  return 'error' in asked && isErrorText(asked.error) ? { error: asked.error } : {};
}

/** Old browsers have no dialogs of a page's own; there the page asks, as it does without scripts. */
export function hasDialogs(): boolean {
  return typeof HTMLDialogElement !== 'undefined' && 'showModal' in HTMLDialogElement.prototype;
}
