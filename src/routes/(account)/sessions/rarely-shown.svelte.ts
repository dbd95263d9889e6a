/**
 * What few visits of the page show. A browser loads it only to go on with a page of the server's that shows it, or when it is first to be
 * shown: the page asks for it by these functions, which return `null` until then.
 */
import { browser } from '$app/environment';
import type { Component } from 'svelte';

/** `shownBy`: what there is on a page that shows it. */
async function rarely<P extends Record<string, unknown>>(
  shownBy: string,
  load: () => Promise<{ default: Component<P> }>,
): Promise<() => Component<P> | null> {
  const isShown = !browser || document.querySelector(shownBy) !== null;
  let component: Component<P> | null = $state.raw(isShown ? (await load()).default : null);
  let loading: Promise<void> | undefined;
  return () => {
    if (!component) {
      // One that does not come now may come when it is next asked for.
      loading ??= load().then(
        (loaded) => void (component = loaded.default),
        () => (loading = undefined),
      );
    }
    return component;
  };
}

export const [stepUp, movedMark] = await Promise.all([
  rarely('#step-up', () => import('./StepUp.svelte')),
  rarely('[data-moved]', () => import('./MovedMark.svelte')),
]);
