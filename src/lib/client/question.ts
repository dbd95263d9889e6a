import type { Component, Snippet } from 'svelte';
import { isErrorText, type ErrorText } from '$lib/words/throttled';

/** What a dialog shows when it asks for the password. */
export type Asked = {
  /** What is wrong with the password that was entered. */
  error?: ErrorText;
  /** What happened to the request, if the app did not send a normal result. */
  trouble?: string;
};

export type DialogProps = {
  asked: Asked;
  /** The label of the button that confirms. */
  confirm: string;
  /** Whether the password is asked for even right after it was entered. */
  always?: boolean;
  pending: boolean;
  /** A sentence that says what will happen. */
  children: Snippet;
};

/** An action that waits for the password: what to say, and the components that show it. */
export type Question = {
  asked: Asked;
  /** The password field, for a dialog that exists already. */
  Field: Component<{ asked: Asked }>;
  /** A dialog of its own, for a form without one. */
  Dialog: Component<DialogProps>;
};

/** Returns what to ask if an action's result asks for the password, and `null` otherwise. */
export function askedIn(data: Record<string, unknown> | undefined): Asked | null {
  const asked = data?.stepUp;
  if (typeof asked !== 'object' || asked === null) return null;
  return 'error' in asked && isErrorText(asked.error) ? { error: asked.error } : {};
}

/** Returns whether the browser supports `<dialog>`. In old browsers the page asks instead, as it does without scripts. */
export function hasDialogs(): boolean {
  return typeof HTMLDialogElement !== 'undefined' && 'showModal' in HTMLDialogElement.prototype;
}
