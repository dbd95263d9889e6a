import { vi } from 'vitest';
import { STORE_TIMEOUT_MILLISECONDS, STORE_TIMEOUT_PARTS } from '$lib/server/policy';

/**
 * Stubs `setTimeout` so that a test decides when the time limit of the last started store operation passes. The returned function lets a
 * number of its parts pass.
 */
export function stubTimeLimit(): (parts: number) => void {
  const { setTimeout } = globalThis;
  let ring: () => void = () => undefined;
  vi.stubGlobal('setTimeout', (callback: () => void, milliseconds: number) => {
    if (milliseconds === STORE_TIMEOUT_MILLISECONDS / STORE_TIMEOUT_PARTS) ring = callback;
    return setTimeout(callback, milliseconds);
  });
  return (parts) => {
    for (let part = 0; part < parts; part += 1) ring();
  };
}
