import { randomUUID } from 'node:crypto';
import { test as base, expect } from '@playwright/test';
import { CookieClient } from './cookie-client';
import { Device, type DeviceOptions, type User } from './device';
import { Storage } from './storage';

type Fixtures = {
  /** Opens a new browser on a device of its own. */
  newDevice: (options?: DeviceOptions) => Promise<Device>;
  /** A user that no other test uses, not signed up yet. */
  user: User;
  /** Creates such a user. */
  newUser: () => User;
  /** The server's KV and D1. */
  storage: Storage;
  /** Sends requests with any cookie, without a browser. */
  client: CookieClient;
  /** The layout in which the server under test stores its sessions. */
  layout: 'owner' | 'index';
};

export const test = base.extend<Fixtures>({
  newDevice: async ({ baseURL, browser, javaScriptEnabled }, use) => {
    const origin = originOf(baseURL);
    const devices: Device[] = [];
    await use(async (options = {}) => {
      const { userAgent, timezoneId } = options;
      const context = await browser.newContext({
        ...(userAgent && { userAgent }),
        ...(timezoneId && { timezoneId }),
      });
      const device = new Device(
        await context.newPage(),
        context,
        origin,
        javaScriptEnabled !== false,
        options,
      );
      devices.push(device);
      return device;
    });
    await Promise.all(devices.map(({ context }) => context.close()));
    expect(devices.flatMap(({ complaints }) => complaints)).toEqual([]);
  },

  newUser: async ({}, use) => {
    await use(() => ({ username: `user-${randomUUID()}`, password: `password ${randomUUID()}` }));
  },

  user: async ({ newUser }, use) => {
    await use(newUser());
  },

  storage: async ({ request }, use) => {
    await use(new Storage(request));
  },

  client: async ({ baseURL }, use) => {
    await use(new CookieClient(originOf(baseURL)));
  },

  layout: async ({}, use, { project }) => {
    await use(project.name === 'index' ? 'index' : 'owner');
  },
});

function originOf(baseURL: string | undefined): string {
  if (!baseURL) throw new Error('[e2e] the project has no baseURL in playwright.config.ts.');
  return new URL(baseURL).origin;
}

export { expect };
