import { randomBytes } from 'node:crypto';
import type { Miniflare } from 'miniflare';
import { ApiError } from './api-error';
import { metadataIn, startWorker, type Asset, type Stores } from './uploaded-worker';

type Script = {
  secrets: Record<string, string>;
  crons: string[];
  previewUrls: boolean;
  uploads: number;
  worker: Miniflare;
};
type Subdomain = { enabled: boolean; previews_enabled: boolean };
type Session = { name: string; manifest: Record<string, { hash: string }> };

/** The Workers of an account: their secrets, files, crons and live version, each at an address of its own. */
export class WorkerScripts {
  readonly #scripts = new Map<string, Script>();
  readonly #files = new Map<string, Asset>();
  /** By upload token. Wrangler uploads the files with it and sends it with the code. */
  readonly #sessions = new Map<string, Session>();

  constructor(readonly stores: Stores) {}

  get(name: string): Script {
    const script = this.#scripts.get(name);
    if (!script) throw new ApiError(404, 10007, 'This Worker does not exist on your account.');
    return script;
  }

  service(name: string) {
    if (!this.#scripts.has(name)) throw new ApiError(404, 10090, 'workers.api.error.service_not_found');
    const script = { tag: name, tags: [], last_deployed_from: 'wrangler' };
    return { id: name, default_environment: { environment: 'production', script } };
  }

  secrets(name: string) {
    return Object.keys(this.get(name).secrets).map((secret) => ({ name: secret, type: 'secret_text' }));
  }

  /** Starts the upload of files. `buckets` are the hashes that are missing. */
  uploadSession(name: string, manifest: Session['manifest']) {
    const claims = Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1_000) + 3_600 }));
    const jwt = `e30.${claims.toString('base64url')}.${randomBytes(8).toString('hex')}`;
    this.#sessions.set(jwt, { name, manifest });
    const missing = Object.values(manifest)
      .map(({ hash }) => hash)
      .filter((hash) => !this.#files.has(hash));
    return { jwt, buckets: missing.length > 0 ? [missing] : [] };
  }

  isUploadToken(jwt: string): boolean {
    return this.#sessions.has(jwt);
  }

  async uploadFiles(jwt: string, form: FormData) {
    for (const [hash, file] of form.entries()) {
      if (typeof file === 'string') throw new ApiError(400, 10021, `Not a file: ${hash}`);
      this.#files.set(hash, {
        contents: Buffer.from(await file.text(), 'base64'),
        contentType: file.type,
      });
    }
    return { jwt };
  }

  /** Uploads a version as Workers do: the files must exist and the worker must start. It is live at once. */
  async upload(name: string, body: Buffer) {
    const { bindings, assets } = await metadataIn(body);
    const session = this.#sessions.get(assets?.jwt ?? '');
    if (session?.name !== name) throw new ApiError(400, 10021, 'There are no files of this Worker');
    const files = Object.entries(session.manifest).map(([path, { hash }]) => {
      const file = this.#files.get(hash);
      if (!file) throw new ApiError(400, 10021, `The file ${path} was never uploaded`);
      return [path, file] as const;
    });
    const before = this.#scripts.get(name);
    const given = bindings.flatMap(({ type, name, text }) =>
      type === 'secret_text' && text ? [[name, text]] : [],
    );
    const secrets = { ...before?.secrets, ...Object.fromEntries(given) };
    const worker = await startWorker(
      { bundle: body, assets: new Map(files), secrets, withoutDatabase: false },
      this.stores,
    );
    await before?.worker.dispose();
    const uploads = (before?.uploads ?? 0) + 1;
    this.#scripts.set(name, { crons: [], previewUrls: true, ...before, secrets, worker, uploads });
    const id = `00000000-0000-4000-8000-${String(uploads).padStart(12, '0')}`;
    return {
      id,
      deployment_id: id.replaceAll('-', ''),
      startup_time_ms: 1,
      resources: { script: { etag: id } },
    };
  }

  async worker(name: string) {
    const { worker, previewUrls } = this.get(name);
    const url = (await worker.ready).origin;
    return { name, subdomain: { enabled: true, previews_enabled: previewUrls, url } };
  }

  setSubdomain(name: string, { enabled, previews_enabled }: Subdomain): Subdomain {
    this.get(name).previewUrls = previews_enabled;
    return { enabled, previews_enabled };
  }

  setCrons(name: string, crons: { cron: string }[]) {
    this.get(name).crons = crons.map(({ cron }) => cron);
    return { schedules: crons };
  }

  /** Returns the address of a Worker. */
  async addressOf(name: string): Promise<URL> {
    return await this.get(name).worker.ready;
  }

  async dispose(): Promise<void> {
    for (const { worker } of this.#scripts.values()) await worker.dispose();
  }
}
