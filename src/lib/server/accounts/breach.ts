/** How long a look-up may take. After that the sign-up continues without it. */
export const BREACH_LIMIT_MILLISECONDS = 1_000;

const PREFIX_CHARACTERS = 5;
/** One line of the response: the rest of a SHA-1 hash in hex, and how often it was seen. */
const LINE = /^([0-9A-F]{35}):(\d+)$/i;

export type BreachLookup = (password: string) => Promise<boolean>;

export type BreachOptions = {
  fetch: typeof fetch;
  /** The address of the range API without the prefix, for example https://api.pwnedpasswords.com/range */
  endpoint: string;
  /** Ends the look-up early. The limit of one second applies in any case. */
  signal?: AbortSignal;
};

/**
 * Returns the look-up that the variable BREACH_CHECK asks for. `null` for "off", for an empty or missing value, and for any other value
 * that is not an https address (or http on this machine). An invalid value is logged: a sign-up must not fail because of it.
 */
export function breachLookup(
  setting: string | undefined,
  options: Omit<BreachOptions, 'endpoint'>,
): BreachLookup | null {
  if (setting === undefined || setting === '' || setting === 'off') return null;
  if (isEndpoint(setting)) return (password) => isBreached(password, { ...options, endpoint: setting });
  logSkipped(
    'BREACH_CHECK is neither "off" nor the https address of a range API: correct it in wrangler.toml',
  );
  return null;
}

/**
 * Whether a password is in a collection of breached ones (ASVS 6.2.12). It asks by k-anonymity: only the first five hex digits of the SHA-1
 * leave this Worker, and padding hides how many matches there are. Also false if the service fails or takes longer than a second. Then one
 * line is logged, without password or hash.
 */
export async function isBreached(
  password: string,
  { fetch, endpoint, signal }: BreachOptions,
): Promise<boolean> {
  const hash = await sha1(password);
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), BREACH_LIMIT_MILLISECONDS);
  try {
    const url = `${endpoint.replace(/\/$/, '')}/${hash.slice(0, PREFIX_CHARACTERS)}`;
    const either = AbortSignal.any(signal ? [limit.signal, signal] : [limit.signal]);
    const suffixes = await Promise.race([readRange(fetch, url, either), untilAborted(either)]);
    return suffixes.has(hash.slice(PREFIX_CHARACTERS));
  } catch (error) {
    logSkipped(error instanceof LookupFailed ? error.message : 'the service could not be reached');
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** A failure with a message of our own, which is safe to log. An error from `fetch` may quote the address with the prefix. */
class LookupFailed extends Error {}

/** Returns the suffixes that were seen at least once. A count of 0 marks padding. */
async function readRange(
  fetch: BreachOptions['fetch'],
  url: string,
  signal: AbortSignal,
): Promise<Set<string>> {
  const response = await fetch(url, {
    headers: { 'Add-Padding': 'true', 'User-Agent': 'pages-sessions' },
    redirect: 'manual',
    signal,
  });
  if (response.status !== 200) throw new LookupFailed(`the service answered ${response.status}`);
  const seen = new Set<string>();
  for (const line of (await response.text()).split(/\r?\n/)) {
    if (line === '') continue;
    const [, suffix, count] = LINE.exec(line) ?? [];
    if (!suffix) throw new LookupFailed('the answer is not a list of hashes with counts');
    if (Number(count) > 0) seen.add(suffix.toUpperCase());
  }
  return seen;
}

/** Rejects when the signal aborts, because not every `fetch` obeys its signal. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new LookupFailed(`no answer within ${BREACH_LIMIT_MILLISECONDS} ms`));
    if (signal.aborted) fail();
    signal.addEventListener('abort', fail, { once: true });
  });
}

async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text));
  return [...new Uint8Array(digest)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .toUpperCase();
}

function isEndpoint(setting: string): boolean {
  const url = URL.parse(setting);
  if (!url || url.search || url.hash) return false;
  return (
    url.protocol === 'https:' ||
    (url.protocol === 'http:' && ['localhost', '127.0.0.1'].includes(url.hostname))
  );
}

function logSkipped(reason: string): void {
  console.warn(JSON.stringify({ event: 'breach-check-skipped', reason, at: new Date().toISOString() }));
}
