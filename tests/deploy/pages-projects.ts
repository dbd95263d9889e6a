import { randomBytes } from 'node:crypto';
import type { Miniflare } from 'miniflare';
import { ApiError } from './api-error';
import { startWorker, type Asset, type Stores } from './uploaded-worker';

type EnvironmentName = 'production' | 'preview';
type Variable = { type: string; value: string };
type DeploymentConfig = { env_vars: Record<string, Variable>; wrangler_config_hash?: string };
type Project = {
  name: string;
  production_branch: string;
  deployment_configs: Record<EnvironmentName, DeploymentConfig>;
};
export type Patch = { deployment_configs?: Partial<Record<EnvironmentName, Partial<DeploymentConfig>>> };
type Deployment = { id: string; url: string; environment: EnvironmentName; worker: Miniflare | null };
type AssetUpload = { key: string; value: string; metadata: { contentType: string }; base64: boolean };

const HASH = /^[0-9a-f]{32}$/;

/** The Pages projects of an account: their secrets, uploaded files and deployments, each deployment at an address of its own. */
export class PagesProjects {
  readonly #projects = new Map<string, Project>();
  readonly #files = new Map<string, Asset>();
  readonly #tokens = new Set<string>();
  /** The newest first. */
  readonly #deployments: Deployment[] = [];
  #deployed = 0;
  /** Whether the next deployment, and only that one, runs without its D1 binding. */
  losesDatabase = false;

  constructor(readonly stores: Stores) {}

  create({ name, production_branch }: { name: string; production_branch: string }) {
    if (this.#projects.has(name)) {
      throw new ApiError(
        409,
        8000002,
        'A project with this name already exists. Choose a different project name.',
      );
    }
    const project: Project = {
      name,
      production_branch,
      deployment_configs: { production: { env_vars: {} }, preview: { env_vars: {} } },
    };
    this.#projects.set(name, project);
    return { ...project, subdomain: `${name}.pages.dev` };
  }

  get(name: string): Project {
    const project = this.#projects.get(name);
    if (!project)
      throw new ApiError(
        404,
        8000007,
        'Project not found. The specified project name does not match any of your existing projects.',
      );
    return project;
  }

  patch(name: string, { deployment_configs = {} }: Patch) {
    const project = this.get(name);
    for (const environment of ['production', 'preview'] as const) {
      Object.assign(
        project.deployment_configs[environment].env_vars,
        deployment_configs[environment]?.env_vars,
      );
    }
    return project;
  }

  /** Returns the token with which wrangler uploads files. */
  uploadToken(name: string) {
    this.get(name);
    const claims = Buffer.from(
      JSON.stringify({ exp: Math.floor(Date.now() / 1000) + 3_600, max_file_count_allowed: 20_000 }),
    );
    const jwt = `e30.${claims.toString('base64url')}.${randomBytes(8).toString('hex')}`;
    this.#tokens.add(jwt);
    return { jwt };
  }

  requireUploadToken(jwt: string): void {
    if (!this.#tokens.has(jwt)) throw new ApiError(401, 8000013, 'Authorization failed');
  }

  missing(hashes: string[]): string[] {
    return hashes.filter((hash) => !this.#files.has(hash));
  }

  upload(files: AssetUpload[]) {
    for (const { key, value, metadata, base64 } of files) {
      if (!HASH.test(key) || !base64) throw new ApiError(400, 8000010, `Not an upload: ${key}`);
      this.#files.set(key, { contents: Buffer.from(value, 'base64'), contentType: metadata.contentType });
    }
    return { successful_key_count: files.length };
  }

  /** Deploys as Pages does: the files must exist and the worker must start. */
  async deploy(name: string, form: FormData) {
    const project = this.get(name);
    const branch = String(form.get('branch'));
    const environment: EnvironmentName = branch === project.production_branch ? 'production' : 'preview';
    const manifest: Record<string, string> = JSON.parse(String(form.get('manifest')));
    const assets = new Map(
      Object.entries(manifest).map(([path, hash]) => {
        const file = this.#files.get(hash);
        if (!file) throw new ApiError(400, 8000018, `The file ${path} was never uploaded`);
        return [path, file];
      }),
    );
    const bundle = form.get('_worker.bundle');
    if (!(bundle instanceof Blob)) throw new ApiError(400, 8000095, 'There is no _worker.bundle');
    const variables = Object.entries(project.deployment_configs[environment].env_vars);
    const worker = await startWorker(
      {
        bundle: Buffer.from(await bundle.arrayBuffer()),
        assets,
        withoutDatabase: this.losesDatabase,
        secrets: Object.fromEntries(variables.map(([key, { value }]) => [key, value])),
      },
      this.stores,
    );
    this.losesDatabase = false;
    const { origin: url } = await worker.ready;
    const id = `d${++this.#deployed}`;
    this.#deployments.unshift({ id, url, environment, worker });
    return {
      id,
      url,
      environment,
      project_name: name,
      production_branch: project.production_branch,
    };
  }

  /** Returns the listed deployments of an environment, or of both. */
  deployments(name: string, environment: string | null) {
    this.get(name);
    return this.#deployments
      .filter((deployment) => (environment ?? deployment.environment) === deployment.environment)
      .map(({ worker: _, ...listed }) => listed);
  }

  /** Deletes a deployment, unless it is the live production one. */
  async delete(name: string, id: string) {
    const deployment = this.#deployments.find((one) => one.id === id);
    if (!deployment) throw new ApiError(404, 8000009, 'Deployment not found.');
    if (id === this.deployments(name, 'production')[0]?.id) {
      throw new ApiError(400, 8000034, 'This deployment is live in production and cannot be deleted.');
    }
    await deployment.worker?.dispose();
    this.#deployments.splice(this.#deployments.indexOf(deployment), 1);
    return null;
  }

  /** Adds past deployments to the list. Their addresses do not respond. */
  addPast(count: number, environment: EnvironmentName): void {
    for (let n = 0; n < count; n++) {
      const id = `d${++this.#deployed}`;
      this.#deployments.unshift({ id, url: `https://${id}.invalid`, environment, worker: null });
    }
  }

  /** Returns the address of the last deployment to an environment. */
  async addressOf(environment: EnvironmentName): Promise<URL> {
    const worker = this.#deployments.find((one) => one.environment === environment)?.worker;
    if (!worker) throw new Error(`[rehearsal] nothing was deployed to ${environment}.`);
    return await worker.ready;
  }

  async dispose(): Promise<void> {
    for (const { worker } of this.#deployments) await worker?.dispose();
  }
}
