/**
 * Keeps a page live that the browser has translated in place. A translator puts a `<font>` with its own words where a text node was; Svelte
 * goes on to write into the node that it made, which nobody sees any more. So a text that changes takes its place back; the translator
 * sees that as new text, and translates it. Returns what stops it.
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
    // What has left the page with its stand-in is nobody's any more.
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
