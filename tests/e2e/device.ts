import { expect, type BrowserContext, type Locator, type Page, type Response } from '@playwright/test';

const SESSION_COOKIE = 'pages-session';
const FAILED_LOAD = /^Failed to load resource: the server responded with a status of (\d{3})/;
const NO_ANSWER = /^Failed to load resource: net::ERR_/;

export type User = { username: string; password: string };

export type DeviceOptions = {
  userAgent?: string;
  timezoneId?: string;
  /** HTTP statuses from 400 on that this device is expected to get. Chromium logs each of them in the console. */
  refusals?: number[];
  /** Whether some requests of this device are expected to get no response. Chromium logs those in the console, too. */
  unanswered?: boolean;
};

/** A browser on a device, with its own cookies and its own page. Collects the errors in its console. */
export class Device {
  /** Unexpected errors. The fixture fails the test if there are any. */
  readonly complaints: string[] = [];

  constructor(
    readonly page: Page,
    readonly context: BrowserContext,
    private readonly origin: string,
    private readonly scripted: boolean,
    { refusals = [], unanswered = false }: DeviceOptions,
  ) {
    page.on('pageerror', (error) => this.complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      if (unanswered && NO_ANSWER.test(message.text())) return;
      // An open page checks whether its session is still live. A 401 is a normal response to that.
      if (message.location().url.endsWith('/api/session')) return;
      const status = FAILED_LOAD.exec(message.text())?.[1];
      if (!refusals.includes(Number(status))) this.complaints.push(message.text());
    });
  }

  /** Loads a page and waits until its scripts run, if it has any. */
  async visit(path: string): Promise<Response | null> {
    const response = await this.page.goto(path);
    await this.ready();
    return response;
  }

  /** Waits until the page is live: Kit then adds its route announcer. What is typed earlier may be lost. */
  async ready(): Promise<void> {
    if (this.scripted) await this.page.locator('#svelte-announcer').waitFor({ state: 'attached' });
  }

  async signUp(user: User): Promise<void> {
    await this.visit('/signup');
    await this.submitUser(user, 'Sign up');
    await expect(this.page).toHaveURL('/sessions');
    await this.ready();
  }

  async signIn(user: User): Promise<void> {
    await this.visit('/login');
    await this.submitUser(user, 'Sign in');
    await expect(this.page).toHaveURL('/sessions');
    await this.ready();
  }

  /** Like `signUp`, for tests of something else. Posts the form without loading its page. */
  async startSignedUp(user: User): Promise<void> {
    await this.post('/signup', user);
  }

  /** Like `signIn`, for tests of something else. Posts the form without loading its page. */
  async startSignedIn(user: User): Promise<void> {
    await this.post('/login', user);
  }

  private async post(path: string, form: User): Promise<void> {
    const headers = { origin: this.origin, accept: 'text/html' };
    const response = await this.context.request.post(path, { form, headers, maxRedirects: 0 });
    expect(response.status(), path).toBe(303);
    await this.visit('/sessions');
  }

  /** Fills in the form of /signup or /login and sends it. */
  async submitUser({ username, password }: User, button: 'Sign up' | 'Sign in'): Promise<void> {
    await this.field('Username').fill(username);
    await this.field('Password').fill(password);
    await this.page.getByRole('main').getByRole('button', { name: button, exact: true }).click();
  }

  async signOut(): Promise<void> {
    await this.page.getByRole('banner').getByRole('button', { name: 'Sign out' }).click();
    await expect(this.page).toHaveURL('/login');
    await this.ready();
  }

  field(label: string): Locator {
    return this.page.getByRole('main').getByRole('textbox', { name: label, exact: true });
  }

  /** The listed sessions. */
  rows(): Locator {
    return this.page.locator('[data-session-id]');
  }

  /** Returns the id of this device's own session from its sessions page. */
  async sessionId(): Promise<string> {
    const id = await this.page.locator('[data-current]').getAttribute('data-session-id');
    if (!id) throw new Error('[e2e] no current session on this page: visit /sessions, signed in, first.');
    return id;
  }

  row(sessionId: string): Locator {
    return this.page.locator(`[data-session-id="${sessionId}"]`);
  }

  /** Ends another device's session with the button in its row. */
  async endSession(sessionId: string): Promise<void> {
    await this.row(sessionId)
      .getByRole('button', { name: /^End session/ })
      .click();
    await expect(this.row(sessionId)).toHaveCount(0);
  }

  async endOthers(): Promise<void> {
    await this.confirm(/^End (the other session|all \d+ others)$/, /^End (session|\d+ sessions)$/);
    await expect(this.rows()).toHaveCount(1);
  }

  async signOutEverywhere(): Promise<void> {
    await this.confirm('Sign out everywhere', 'Sign out everywhere');
    await expect(this.page).toHaveURL(/\/login/);
    await this.ready();
  }

  private async confirm(label: string | RegExp, confirm: string | RegExp): Promise<void> {
    await this.page.getByRole('main').getByRole('button', { name: label }).click();
    await this.page.getByRole('dialog').getByRole('button', { name: confirm }).click();
  }

  async changePassword({ password }: User, newPassword: string): Promise<void> {
    await this.visit('/account');
    await this.field('Current password').fill(password);
    await this.field('New password').fill(newPassword);
    await this.page.getByRole('button', { name: 'Change password' }).click();
    await expect(this.page.getByRole('status').filter({ hasText: 'Password changed' })).toBeVisible();
  }

  /** Expects that nobody is signed in from this page load on: an account page redirects to the sign-in page. */
  async expectSignedOut(path = '/sessions'): Promise<void> {
    await this.visit(path);
    await expect(this.page).toHaveURL(`/login?redirectTo=${encodeURIComponent(path)}`);
    await expect(this.page.getByRole('button', { name: 'Sign out' })).toHaveCount(0);
  }

  /** Returns the session cookie. Fails if this browser has none. */
  async sessionCookie() {
    const cookie = (await this.context.cookies()).find(({ name }) => name === SESSION_COOKIE);
    if (!cookie) throw new Error('[e2e] this device has no session cookie.');
    const [userId = '', token = ''] = cookie.value.split('.');
    return { ...cookie, userId, token };
  }

  async hasSessionCookie(): Promise<boolean> {
    return (await this.context.cookies()).some(({ name }) => name === SESSION_COOKIE);
  }
}
