/** A whole Chromium with device keys in software, over https: what Device Bound Session Credentials need. */
import { createHash, X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { expect, type BrowserContext, type CDPSession, type Page } from '@playwright/test';

/** What of the events of Chrome's devtools protocol is looked at. */
type BoundSessionEvent = {
  creationEventDetails?: { fetchResult?: string };
  refreshEventDetails?: { wasFullyProactiveRefresh?: boolean };
  terminationEventDetails?: { deletionReason?: string };
};

/** Chromium heeds none of this on a connection with a certificate error, so the server's own certificate is made known to it by its key. */
export async function launchOptions(executablePath: string, port: number) {
  return {
    executablePath,
    args: [
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      // No limit on refreshes; keys of software where there is no TPM.
      '--enable-features=DeviceBoundSessions:RefreshQuota/false,EnableBoundSessionCredentialsSoftwareKeysForManualTesting',
      `--ignore-certificate-errors-spki-list=${await publicKeyHash(port)}`,
    ],
  };
}

function publicKeyHash(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: 'localhost', servername: 'localhost', rejectUnauthorized: false });
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      const { raw } = socket.getPeerCertificate();
      socket.destroy();
      const key = new X509Certificate(raw).publicKey.export({ type: 'spki', format: 'der' });
      resolve(createHash('sha256').update(key).digest('base64'));
    });
  });
}

/** One browser of somebody, which says what it does about bound sessions. */
export class BoundBrowser {
  private readonly seen: BoundSessionEvent[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
    private readonly origin: string,
  ) {}

  static async open(context: BrowserContext, origin: string): Promise<BoundBrowser> {
    const page = context.pages()[0] ?? (await context.newPage());
    const browser = new BoundBrowser(context, page, origin);
    const devtools: CDPSession & {
      on(event: string, listener: (detail: BoundSessionEvent) => void): unknown;
    } = await context.newCDPSession(page);
    devtools.on('Network.deviceBoundSessionEventOccurred', (detail) => browser.seen.push(detail));
    await devtools.send('Network.enable');
    await devtools.send('Network.enableDeviceBoundSessions' as 'Network.enable', { enable: true } as object);
    return browser;
  }

  async signUp(username: string, password: string): Promise<void> {
    await this.fill('/signup', username, password, 'Sign up');
  }

  async signIn(username: string, password: string): Promise<void> {
    await this.fill('/login', username, password, 'Sign in');
  }

  private async fill(path: string, username: string, password: string, button: string): Promise<void> {
    await this.page.goto(this.origin + path);
    await this.page.getByLabel('Username').fill(username);
    await this.page.getByLabel('Password', { exact: true }).fill(password);
    const bound = this.count('created') + 1;
    await this.page.getByRole('button', { name: button, exact: true }).click();
    await expect(this.page).toHaveURL(`${this.origin}/sessions`);
    await this.sees('created', bound);
  }

  /** How often it has made a binding, refreshed one because a request had to wait for that, or ended one because the server said so. */
  count(what: 'created' | 'refreshed' | 'ended'): number {
    return this.seen.filter((event) => {
      if (what === 'created') return event.creationEventDetails?.fetchResult === 'Success';
      if (what === 'refreshed') return event.refreshEventDetails?.wasFullyProactiveRefresh === false;
      return event.terminationEventDetails?.deletionReason === 'ServerRequested';
    }).length;
  }

  async sees(what: 'created' | 'refreshed' | 'ended', times: number): Promise<void> {
    await expect.poll(() => this.count(what), { message: `bindings ${what}` }).toBe(times);
  }

  /** Leaves it at a file of the same origin, which asks for nothing: a page of the app looks by itself, and that refreshes. */
  async rest(): Promise<void> {
    await this.page.goto(`${this.origin}/error.css`);
  }

  /** For a browser that asks for nothing now. A refresh that an earlier page began may bring it back: so it is lost when five looks in a row miss it. */
  async loseProof(): Promise<void> {
    let gone = 0;
    const look = async () => {
      gone = (await this.hasCookie('__Host-bound')) ? 0 : gone + 1;
      if (gone === 0) await this.context.clearCookies({ name: '__Host-bound' });
      return gone;
    };
    await expect.poll(look, { intervals: [100] }).toBeGreaterThanOrEqual(5);
  }

  async hasCookie(name: string): Promise<boolean> {
    return (await this.context.cookies()).some((cookie) => cookie.name === name);
  }

  /** Goes to an account page; says whether it was let in at once. */
  async isIn(): Promise<boolean> {
    const response = await this.page.goto(`${this.origin}/sessions`);
    return response?.status() === 200 && this.page.url() === `${this.origin}/sessions`;
  }
}
