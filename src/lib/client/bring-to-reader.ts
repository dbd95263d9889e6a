import { tick } from 'svelte';
import { noteRows } from './row-motion';

/**
 * Moves the result of an action (`Status`) to where the reader is, in the flow of the page. If the focus is in a session's row, the result
 * goes into that row; otherwise it goes after the focused part of the page. If `form`, the form that was sent, shows a problem of its own,
 * that is what moves. Otherwise the page's own result moves.
 */
export async function bringToReader(form?: HTMLFormElement): Promise<void> {
  await tick();
  const said =
    form?.querySelector<HTMLElement>('.result') ??
    document.querySelector<HTMLElement>('.result:not(.ofForm)');
  if (!said) return;
  // Not every browser focuses a button when it is clicked.
  const { activeElement, body } = document;
  const reader = activeElement === body && form?.isConnected ? form : activeElement;
  const moveRows = noteRows();
  if (reader) place(said, reader);
  moveRows();
  said.scrollIntoView({ block: 'nearest' });
}

function place(said: HTMLElement, reader: Element): void {
  // A form that is open over the page shows its own result.
  if (reader.closest('details[name][open]')) return;
  const row = reader.closest('[data-session-id]');
  // The focus moved to this heading because the row above it was removed. The result takes the place of that row.
  if (row && reader.matches('h3')) row.parentElement?.insertBefore(said, row);
  else if (row) row.insertBefore(said, null);
  else if (!reader.closest('nav')) {
    const part = reader.closest('li, section, form');
    const beside = [...(part?.children ?? [])].find((child) => child.contains(reader));
    if (beside) part?.insertBefore(said, beside.nextSibling);
  }
}
