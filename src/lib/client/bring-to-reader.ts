import { tick } from 'svelte';
import { noteRows } from './row-motion';

/**
 * What is said of an action (`Status`) comes to where its reader is, in the flow of the page: to the row, or after the part of the page, that has
 * the focus. `form`: what was sent; the latest trouble that it had is said there, else the page's own result.
 */
export async function bringToReader(form?: HTMLFormElement): Promise<void> {
  await tick();
  const said =
    form?.querySelector<HTMLElement>('.result') ??
    document.querySelector<HTMLElement>('.result:not(.ofForm)');
  if (!said) return;
  // Not every browser gives the focus to a button that is clicked.
  const { activeElement, body } = document;
  const reader = activeElement === body && form?.isConnected ? form : activeElement;
  const moveRows = noteRows();
  if (reader) place(said, reader);
  moveRows();
  said.scrollIntoView({ block: 'nearest' });
}

function place(said: HTMLElement, reader: Element): void {
  // A form that has opened over the page says it itself.
  if (reader.closest('details[name][open]')) return;
  const row = reader.closest('[data-session-id]');
  // The focus came to its heading: it took the place of the row that has gone, and that is what is said.
  if (row && reader.matches('h3')) row.parentElement?.insertBefore(said, row);
  else if (row) row.insertBefore(said, null);
  else if (!reader.closest('nav')) {
    const part = reader.closest('li, section, form');
    const beside = [...(part?.children ?? [])].find((child) => child.contains(reader));
    if (beside) part?.insertBefore(said, beside.nextSibling);
  }
}
