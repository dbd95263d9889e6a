import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { ApiError } from './api-error';
import { D1Databases } from './d1-databases';
import { KvNamespaces } from './kv-namespaces';
import { PagesProjects } from './pages-projects';
import { WorkerScripts } from './worker-scripts';

type Call = { body: Buffer; contentType: string; query: URLSearchParams; token: string };
/** `names` are the variable parts of the path: account, project and so on. */
type Handler = (call: Call, names: string[]) => unknown;
type Route = { kind: string; method: string; path: RegExp; handle: Handler };

/**
 * The part of Cloudflare's API that a deployment uses, on loopback. It keeps state, refuses what the real one refuses, and can fail a kind
 * of call once on request. What is deployed runs in workerd, at an address of its own.
 */
export class CloudflareApi {
  readonly accountId = randomBytes(16).toString('hex');
  readonly token = randomBytes(16).toString('hex');
  readonly kv = new KvNamespaces();
  readonly d1: D1Databases;
  readonly pages: PagesProjects;
  readonly workers: WorkerScripts;
  /** The accounts that the token can access. */
  accounts = [{ id: this.accountId, name: 'Rehearsal' }];
  /** The kinds of calls that fail the next time each is made. */
  readonly failing = new Set<string>();
  /** The kinds of calls that succeeded, in order. */
  readonly calls: string[] = [];
  readonly #server: Server;

  /** The stored data, in the layout of Miniflare. */
  readonly #folder = mkdtempSync(join(tmpdir(), 'account-'));

  private constructor() {
    this.d1 = new D1Databases(join(this.#folder, 'd1'));
    const stores = { kv: this.kv, d1: this.d1, folder: this.#folder };
    this.pages = new PagesProjects(stores);
    this.workers = new WorkerScripts(stores);
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<CloudflareApi> {
    const api = new CloudflareApi();
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve));
    return api;
  }

  get origin(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    await this.pages.dispose();
    await this.workers.dispose();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true });
  }

  async #answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const answer = await this.#result(incoming);
      const result = answer instanceof Page ? answer : { result: answer };
      send(response, 200, { success: true, errors: [], messages: [], ...result });
    } catch (error) {
      const { status, code, message } =
        error instanceof ApiError ? error : new ApiError(500, 0, String(error));
      send(response, status, { success: false, errors: [{ code, message }], messages: [], result: null });
    }
  }

  async #result(incoming: IncomingMessage): Promise<unknown> {
    const { pathname, searchParams: query } = new URL(incoming.url ?? '/', this.origin);
    const contentType = incoming.headers['content-type'] ?? '';
    const route = this.#routes.find(({ method, path }) => method === incoming.method && path.test(pathname));
    if (!route) throw new ApiError(404, 7000, `No route for ${incoming.method} ${pathname}`);
    const names = route.path.exec(pathname)?.slice(1) ?? [];
    const token = incoming.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const call = { body: await buffer(incoming), contentType, query, token };
    if (pathname.startsWith('/pages/assets/')) this.pages.requireUploadToken(token);
    else if (token !== this.token && !this.workers.isUploadToken(token))
      throw new ApiError(403, 10000, 'Authentication error');
    if (pathname.startsWith('/accounts/') && names[0] !== this.accountId) {
      throw new ApiError(403, 10000, 'Authentication error');
    }
    const kind = route.kind.endsWith('/query') ? `${route.kind} ${purposeOf(call.body)}` : route.kind;
    if (this.failing.delete(kind)) throw new ApiError(400, UNKNOWN_ERROR, `Rehearsed failure of ${kind}`);
    const result = await route.handle(call, names);
    this.calls.push(kind);
    return result;
  }

  readonly #routes: Route[] = [
    route('GET /user/tokens/verify', () => ({ id: 'token', status: 'active' })),
    route('GET /user', () => ({ id: 'user', email: 'ada@example.com' })),
    route('GET /accounts', ({ query }) => new Page(this.accounts, query)),
    route(
      'GET /memberships',
      ({ query }) =>
        new Page(
          this.accounts.map((account) => ({ id: account.id, account })),
          query,
        ),
    ),

    route('GET /accounts/*/storage/kv/namespaces', ({ query }) => new Page(this.kv.list(), query)),
    route('POST /accounts/*/storage/kv/namespaces', ({ body }) => this.kv.create(parse(body).title)),
    route('GET /accounts/*/d1/database', ({ query }) => new Page(this.d1.list(), query)),
    route('POST /accounts/*/d1/database', ({ body }) => {
      const { name, primary_location_hint } = parse(body);
      return this.d1.create(name, primary_location_hint);
    }),
    route('POST /accounts/*/d1/database/*/query', ({ body }, [, id = '']) =>
      this.d1.query(id, parse(body).sql),
    ),

    route('POST /accounts/*/pages/projects', ({ body }) => this.pages.create(parse(body))),
    route('GET /accounts/*/pages/projects/*', (_, [, name = '']) => this.pages.get(name)),
    route('PATCH /accounts/*/pages/projects/*', ({ body }, [, name = '']) =>
      this.pages.patch(name, parse(body)),
    ),
    route('GET /accounts/*/pages/projects/*/upload-token', (_, [, name = '']) =>
      this.pages.uploadToken(name),
    ),
    route('POST /pages/assets/check-missing', ({ body }) => this.pages.missing(parse(body).hashes)),
    route('POST /pages/assets/upload', ({ body }) => this.pages.upload(parse(body))),
    route('POST /pages/assets/upsert-hashes', () => null),
    route('POST /accounts/*/pages/projects/*/deployments', async ({ body, contentType }, [, name = '']) =>
      this.pages.deploy(name, await formIn(body, contentType)),
    ),
    route('GET /accounts/*/pages/projects/*/deployments', ({ query }, [, name = '']) => {
      if (Number(query.get('per_page') ?? 0) > DEPLOYMENTS_ON_A_PAGE) {
        throw new ApiError(400, 8000024, 'Invalid list options provided.');
      }
      return new Page(this.pages.deployments(name, query.get('env')), query, DEPLOYMENTS_ON_A_PAGE);
    }),
    route('DELETE /accounts/*/pages/projects/*/deployments/*', (_, [, name = '', id = '']) =>
      this.pages.delete(name, id),
    ),
    route('GET /accounts/*/pages/projects/*/deployments/*', () => ({
      latest_stage: { name: 'deploy', status: 'success' },
      aliases: [],
    })),

    route('GET /accounts/*/workers/services/*', (_, [, name = '']) => this.workers.service(name)),
    route('GET /accounts/*/workers/subdomain', () => ({ subdomain: 'ada' })),
    route('GET /accounts/*/workers/scripts/*/secrets', (_, [, name = '']) => this.workers.secrets(name)),
    route('POST /accounts/*/workers/scripts/*/assets-upload-session', ({ body }, [, name = '']) =>
      this.workers.uploadSession(name, parse(body).manifest),
    ),
    route('POST /accounts/*/workers/assets/upload', async ({ body, contentType, token }) =>
      this.workers.uploadFiles(token, await formIn(body, contentType)),
    ),
    route('PUT /accounts/*/workers/scripts/*', ({ body }, [, name = '']) => this.workers.upload(name, body)),
    route('POST /accounts/*/workers/scripts/*/versions', ({ body }, [, name = '']) =>
      this.workers.upload(name, body),
    ),
    route('GET /accounts/*/workers/scripts/*/deployments', (_, [, name = '']) => {
      this.workers.get(name);
      return { deployments: [] };
    }),
    route('POST /accounts/*/workers/scripts/*/deployments', ({ body }) => parse(body)),
    route('PATCH /accounts/*/workers/scripts/*/script-settings', ({ body }) => parse(body)),
    route('GET /accounts/*/workers/workers/*', (_, [, name = '']) => this.workers.worker(name)),
    route('POST /accounts/*/workers/scripts/*/subdomain', ({ body }, [, name = '']) =>
      this.workers.setSubdomain(name, parse(body)),
    ),
    route('PUT /accounts/*/workers/scripts/*/schedules', ({ body }, [, name = '']) =>
      this.workers.setCrons(name, parse(body)),
    ),
  ];
}

/** @param kind method and path, with `*` for the parts that vary */
function route(kind: string, handle: Handler): Route {
  const [method = '', path = ''] = kind.split(' ');
  return { kind, method, path: new RegExp(`^${path.replaceAll('*', '([^/]+)')}$`), handle };
}

/** Returns what one of wrangler's migration queries is for. */
function purposeOf(body: Buffer): string {
  const { sql } = parse(body);
  const migration = /INSERT INTO "d1_migrations" \(name\)\s+values \('(.+)'\)/i.exec(sql);
  if (migration) return `(apply ${migration[1]})`;
  return sql.startsWith('SELECT') ? '(read what is applied)' : '(make the list)';
}

/** The real API's code for an internal error. Wrangler repeats some calls when it sees it. */
const UNKNOWN_ERROR = 8_000_000;

/** One page of a list. Wrangler requests page after page until one is not full. */
class Page {
  readonly result: unknown[];
  readonly result_info: { total_count: number };

  constructor(all: unknown[], query: URLSearchParams, defaultSize = 20) {
    const size = Number(query.get('per_page') ?? defaultSize);
    const from = (Number(query.get('page') ?? 1) - 1) * size;
    this.result = all.slice(from, from + size);
    this.result_info = { total_count: all.length };
  }
}

/** The number of deployments on one page of Pages' list. */
const DEPLOYMENTS_ON_A_PAGE = 25;

function parse(body: Buffer) {
  return JSON.parse(body.toString());
}

async function formIn(body: Buffer, contentType: string): Promise<FormData> {
  return await new Response(new Uint8Array(body), { headers: { 'content-type': contentType } }).formData();
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
