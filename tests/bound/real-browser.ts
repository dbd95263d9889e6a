/** A full Chromium with software device keys, over https. Device Bound Session Credentials need all of that. */
import { createHash, X509Certificate } from 'node:crypto';
import { connect } from 'node:tls';
import { expect, type BrowserContext, type CDPSession, type Page } from '@playwright/test';

/** The parts of Chrome's devtools events that are read here. */
type BoundSessionEvent = {
  creationEventDetails?: { fetchResult?: string };
  refreshEventDetails?: { wasFullyProactiveRefresh?: boolean };
  terminationEventDetails?: { deletionReason?: string };
};

/** Chromium ignores device binding on a connection with a certificate error. So the key of the server's certificate is declared as trusted. */
export async function launchOptions(executablePath: string, port: number) {
  return {
    executablePath,
    args: [
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      // No limit on refreshes, and software keys where there is no TPM.
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

/** A browser that records what it does about bound sessions. */
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

  /**
   * Returns how often the browser created a binding, refreshed one because a request had to wait for it, or ended one because the server
   * said so.
   */
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

  /**
   * Leaves the browser at a file of the same origin, which makes no requests. A page of the app would look by itself, and that would cause
   * a refresh.
   */
  async rest(): Promise<void> {
    await this.page.goto(`${this.origin}/error.css`);
  }

  /**
   * Removes the bound cookie, in a browser that makes no requests now. A refresh from an earlier page may bring it back, so this waits
   * until five checks in a row miss it.
   */
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

  /** Opens an account page and returns whether it was let in at once. */
  async isIn(): Promise<boolean> {
    const response = await this.page.goto(`${this.origin}/sessions`);
    return response?.status() === 200 && this.page.url() === `${this.origin}/sessions`;
  }
}
