import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cloudflareKvBinding, type SessionKV, type SessionLayout } from '$lib/server/kv-adapter';
import { sessionAdapterContract } from '$lib/server/kv-adapter/contract';

/** A namespace to run the contract on. It may hold other records, because every case creates its own users. */
export type ContractKV = {
  kv: SessionKV;
  /** Releases what opening it took. */
  close?: () => Promise<void>;
};

/** Runs the adapter's contract suite on a KV, in both layouts. `openKv` is called once for each. */
export function testAdapterContract(name: string, openKv: () => ContractKV | Promise<ContractKV>): void {
  for (const layout of ['index', 'owner'] satisfies SessionLayout[]) {
    describe(`session adapter, ${layout} layout, on ${name}`, () => {
      let opened: ContractKV;
      beforeAll(async () => {
        opened = await openKv();
      });
      afterAll(() => opened.close?.());

      const cases = sessionAdapterContract({
        binding: (kv) => cloudflareKvBinding(kv, undefined, { layout }),
        kv: () => opened.kv,
        takesSignInsAtOnce: layout === 'owner',
      });
      test.each(cases)('$title', async ({ run }) => {
        await expect(run()).resolves.toBeUndefined();
      });
    });
  }
}
