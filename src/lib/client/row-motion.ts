const MOVE_MILLISECONDS = 200;
const ROWS = 'main [data-session-id]';

/**
 * Animates session rows briefly when they appear, disappear or move. Call it before the page changes, and call the function that it returns
 * after the change. Nothing is animated if the user prefers reduced motion, if the tab is hidden, or if the browser does not support it.
 * The page's own markup contains nothing for it.
 */
export function noteRows(): () => void {
  const isWanted =
    typeof matchMedia === 'function' && !matchMedia('(prefers-reduced-motion: reduce)').matches;
  if (!isWanted || document.visibilityState !== 'visible' || !('animate' in Element.prototype))
    return () => {};
  const before = new Map(visibleRows().map((row) => [row, row.getBoundingClientRect()]));
  const { pathname } = location;
  return () => {
    if (before.size === 0 || location.pathname !== pathname) return;
    for (const row of visibleRows()) {
      const was = before.get(row);
      if (was) slide(row, was.top - row.getBoundingClientRect().top);
      else arrive(row);
    }
    for (const [row, was] of before) if (!row.isConnected) leave(row, was);
  };
}

function visibleRows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(ROWS)].filter((row) => row.getClientRects().length > 0);
}

const timing = { duration: MOVE_MILLISECONDS, easing: 'ease-out' };

function slide(row: HTMLElement, from: number): void {
  if (from !== 0) row.animate([{ translate: `0 ${from}px` }, { translate: 'none' }], timing);
}

function arrive(row: HTMLElement): void {
  row.animate(
    [
      { opacity: 0, translate: '0 -0.5rem' },
      { opacity: 1, translate: 'none' },
    ],
    timing,
  );
}

/** Fades out a copy of the removed row where it was. The copy is only a picture: nobody can find or press it. */
function leave(row: HTMLElement, { top, left, width }: DOMRect): void {
  const ghost = document.createElement('div');
  const picture = row.cloneNode(true) as HTMLElement;
  for (const name of ['data-session-id', 'data-moved']) picture.removeAttribute(name);
  for (const part of picture.querySelectorAll('[id], details, form, dialog')) part.remove();
  ghost.inert = true;
  ghost.ariaHidden = 'true';
  Object.assign(ghost.style, {
    position: 'absolute',
    pointerEvents: 'none',
    top: `${top + scrollY}px`,
    left: `${left + scrollX}px`,
    width: `${width}px`,
  });
  ghost.appendChild(picture);
  document.body.appendChild(ghost);
  const end = () => ghost.remove();
  ghost.animate([{ opacity: 1 }, { opacity: 0, translate: '1rem 0' }], timing).finished.then(end, end);
}
