/**
 * Keeps a page up to date after the browser has translated it in place. A translator replaces a text node by a `<font>` with its own words.
 * Svelte keeps writing into the node that it created, which is no longer visible. So when such a text changes, its node goes back into the
 * page. The translator sees it as new text and translates it. Returns a function that stops it.
 */
export function keepTranslatedTextsLive(): () => void {
  const standIns = new Map<Node, Element>();

  const texts = new MutationObserver((changes) => {
    for (const { target } of changes) {
      const standIn = standIns.get(target);
      standIns.delete(target);
      if (standIn?.isConnected && !target.isConnected) standIn.replaceWith(target);
    }
  });

  const page = new MutationObserver((changes) => {
    for (const { removedNodes, addedNodes, previousSibling, nextSibling } of changes) {
      const [text] = removedNodes;
      const standIn = [...addedNodes, previousSibling, nextSibling].find(isTranslation);
      if (!(text instanceof Text) || text.isConnected || !standIn) continue;
      standIns.set(text, standIn);
      texts.observe(text, { characterData: true });
    }
    // If the stand-in has left the page, its text node is no longer needed.
    for (const [text, standIn] of standIns) if (!standIn.isConnected) standIns.delete(text);
  });

  page.observe(document.body, { childList: true, subtree: true });
  return () => {
    page.disconnect();
    texts.disconnect();
  };
}

function isTranslation(node: Node | null): node is HTMLElement {
  return node instanceof HTMLElement && node.localName === 'font';
}
