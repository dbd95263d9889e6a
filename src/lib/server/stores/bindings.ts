import type { SessionLayout } from '../kv-adapter';

export type Bindings = {
  kv: KVNamespace;
  db: D1Database;
  layout: SessionLayout;
  cookieSecrets?: { current: string; previous?: string | undefined };
  /** `null`: sessions are not bound to devices. */
  deviceBinding: { cookieMilliseconds?: number } | null;
  showCost: boolean;
  breachCheck?: string;
  /** Whether the page `/race` exists. */
  race: boolean;
  /** The URL of this app's source. */
  sourceUrl: string | null;
};

/** Something in `platform.env` is missing or wrong. The message names it and the fix. */
export class BindingError extends Error {
  override name = 'BindingError';
}

/** Returns this app's bindings from `platform.env`. Throws `BindingError`. */
export function bindings(platform: App.Platform | undefined): Bindings {
  const env: Partial<Env> = platform?.env ?? {};
  return {
    kv: env.SESSIONS ?? missing('KV namespace', 'SESSIONS', 'kv_namespaces'),
    db: env.DB ?? missing('D1 database', 'DB', 'd1_databases'),
    layout: layoutOf(env.SESSION_LAYOUT ?? 'owner'),
    ...(env.COOKIE_SECRET && {
      cookieSecrets: { current: env.COOKIE_SECRET, previous: env.COOKIE_SECRET_PREVIOUS },
    }),
    deviceBinding: deviceBindingOf(env),
    showCost: env.SHOW_COST !== 'off',
    breachCheck: env.BREACH_CHECK,
    race: env.RACE !== 'off',
    sourceUrl: webAddress(env.SOURCE_URL),
  };
}

/** Returns an http(s) URL that is safe to link to, or `null` for anything else. workerd takes long to refuse an empty one. */
function webAddress(value: string | undefined): string | null {
  const url = value ? URL.parse(value) : null;
  return url && ['https:', 'http:'].includes(url.protocol) ? url.href : null;
}

function deviceBindingOf({ DEVICE_BINDING, BOUND_COOKIE_SECONDS }: Partial<Env>) {
  if (DEVICE_BINDING === 'off') return null;
  return BOUND_COOKIE_SECONDS ? { cookieMilliseconds: Number(BOUND_COOKIE_SECONDS) * 1_000 } : {};
}

function layoutOf(value: string): SessionLayout {
  if (value === 'owner' || value === 'index') return value;
  throw new BindingError(
    `[bindings] SESSION_LAYOUT is "${value}": set it to "owner" or "index" under [vars] in wrangler.toml.`,
  );
}

function missing(kind: string, name: string, section: string): never {
  throw new BindingError(
    `[bindings] the ${kind} binding "${name}" is missing: add it under [[${section}]] in wrangler.toml ` +
      `(and [[env.preview.${section}]] for previews), or in the Pages project's settings, and deploy again.`,
  );
}
