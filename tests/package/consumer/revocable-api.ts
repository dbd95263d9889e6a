/** The exact public API of the kit. If this stops compiling, the change is breaking. */
import type { InitializeAdapter, UserAdapter, UserSchema } from 'lucia';
import * as kit from 'pages-sessions-kv-adapter/revocable';
import type {
  ConfirmedSession,
  ListedSession,
  RevocableOptions,
  RevocableSessions,
  SessionList,
  Viewer,
} from 'pages-sessions-kv-adapter/revocable';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only for `true`. */
function holds<_Claim extends true>() {}

type Names =
  'forgetUser' | 'migration' | 'ProofNeeded' | 'revocableSessions' | 'SessionEnded' | 'StoreUnavailable';
holds<Equal<keyof typeof kit, Names>>();
holds<Equal<typeof kit.revocableSessions, (options: RevocableOptions) => RevocableSessions>>();
holds<
  Equal<
    RevocableOptions,
    {
      request: Request;
      kv: KVNamespace;
      db: D1Database;
      userAdapter: InitializeAdapter<UserAdapter>;
      cookieSecrets?: { current: string; previous?: string | undefined } | undefined;
      nameOf?: (user: UserSchema) => string;
      waitUntil?: (work: Promise<unknown>) => void;
    }
  >
>();
holds<
  Equal<
    RevocableSessions,
    {
      peek(): Promise<Viewer | 'unknown' | null>;
      require(): Promise<ConfirmedSession>;
      confirm(): Promise<ConfirmedSession | null>;
      signIn(userId: string): Promise<void>;
      prove(): Promise<void>;
      list(): Promise<SessionList>;
      revoke(sessionId: string): Promise<'ended' | 'unknown'>;
      revokeOthers(): Promise<void>;
      revokeAll(): Promise<void>;
      signOut(): Promise<void>;
      applyTo(headers: Headers): void;
    }
  >
>();
holds<Equal<Viewer, { userId: string; name: string }>>();
holds<Equal<ConfirmedSession, Viewer & { sessionId: string; signedInAt: number; endsAt: number }>>();
holds<Equal<SessionList, { sessions: ListedSession[]; more: boolean; unlisted: boolean }>>();
holds<Equal<ListedSession['device']['kind'], 'phone' | 'tablet' | 'desktop' | 'tool' | 'unknown'>>();
holds<
  Equal<keyof ListedSession, 'id' | 'current' | 'device' | 'place' | 'signedInAt' | 'lastActiveAt' | 'endsAt'>
>();
holds<
  Equal<typeof kit.forgetUser, (stores: Pick<RevocableOptions, 'kv' | 'db'>, userId: string) => Promise<void>>
>();
holds<Equal<typeof kit.migration, string>>();
holds<Equal<InstanceType<typeof kit.SessionEnded>['name'], 'SessionEnded'>>();
holds<Equal<InstanceType<typeof kit.ProofNeeded>['name'], 'ProofNeeded'>>();
holds<Equal<InstanceType<typeof kit.StoreUnavailable>['store'], 'KV' | 'D1'>>();

// @ts-expect-error the ledger is needed
kit.revocableSessions({ request: {} as Request, kv: {} as KVNamespace });
// @ts-expect-error what is not exported is out of reach
export type * from 'pages-sessions-kv-adapter/revocable/types.js';
