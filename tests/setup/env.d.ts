/// <reference types="@cloudflare/vitest-plugin/types" />

declare namespace Cloudflare {
  interface Env {
    SESSIONS: KVNamespace;
    DB: D1Database;
    SESSION_LAYOUT?: string;
    /** "1" in `npm run test:deep`. */
    DEEP: string;
    TEST_MIGRATIONS: import('cloudflare:test').D1Migration[];
  }
}
