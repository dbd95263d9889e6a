/**
 * Components that few visits to the page show. The browser loads one only to hydrate a page that the server rendered with it, or when it is
 * first shown. The page gets them from these functions, which return `null` until they are loaded.
 */
import { browser } from '$app/environment';
import type { Component } from 'svelte';

/** `shownBy`: a selector that matches on a page that the server rendered with the component. */
async function rarely<P extends Record<string, unknown>>(
  shownBy: string,
  load: () => Promise<{ default: Component<P> }>,
): Promise<() => Component<P> | null> {
  const isShown = !browser || document.querySelector(shownBy) !== null;
  let component: Component<P> | null = $state.raw(isShown ? (await load()).default : null);
  let loading: Promise<void> | undefined;
  return () => {
    if (!component) {
      // If loading fails, the next request tries again.
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
