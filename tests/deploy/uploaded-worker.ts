import { Miniflare, Response as MiniflareResponse, convertV4MiniflareOptions } from 'miniflare';
import type { D1Databases } from './d1-databases';
import { ApiError } from './api-error';
import type { KvNamespaces } from './kv-namespaces';

type Binding = { name: string; type: string; namespace_id?: string; id?: string; text?: string };
type Metadata = {
  main_module: string;
  bindings: Binding[];
  compatibility_date: string;
  compatibility_flags: string[];
  assets?: { jwt: string };
};
export type Asset = { contents: Buffer; contentType: string };

export type Upload = {
  /** `_worker.bundle`: a form of its own, with the modules and their bindings. */
  bundle: Buffer;
  assets: Map<string, Asset>;
  secrets: Record<string, string>;
  /** Whether to leave out its D1, as if the binding had been lost. */
  withoutDatabase: boolean;
};

/** The account's stores, and Miniflare's folder for their data. */
export type Stores = { kv: KvNamespaces; d1: D1Databases; folder: string };

/** Starts an uploaded worker in workerd with the stores that it names. Throws if one of them does not exist. */
export async function startWorker(upload: Upload, stores: Stores): Promise<Miniflare> {
  const form = await parseForm(upload.bundle);
  const metadata = await metadataIn(upload.bundle);
  const { bindings } = metadata;
  const kvNamespaces = pick(bindings, 'kv_namespace', ({ namespace_id }) => namespace_id ?? '');
  const d1Databases = pick(bindings, 'd1', ({ id }) => id ?? '');
  for (const id of Object.values(kvNamespaces)) stores.kv.require(id);
  for (const id of Object.values(d1Databases)) stores.d1.require(id);
  const worker = new Miniflare(
    convertV4MiniflareOptions({
      modules: await modulesOf(form, metadata.main_module),
      compatibilityDate: metadata.compatibility_date,
      compatibilityFlags: metadata.compatibility_flags,
      kvNamespaces,
      d1Databases: upload.withoutDatabase ? {} : d1Databases,
      resourcePersistencePath: stores.folder,
      bindings: { ...pick(bindings, 'plain_text', ({ text }) => text ?? ''), ...upload.secrets },
      serviceBindings: { ASSETS: (request) => asset(upload.assets, new URL(request.url).pathname) },
      cf: false,
    }),
  );
  await worker.ready;
  return worker;
}

/** Returns the metadata of an upload. */
export async function metadataIn(bundle: Buffer): Promise<Metadata> {
  return JSON.parse(await textOf(await parseForm(bundle), 'metadata'));
}

/** Parses a form whose boundary is only known from the first line of its body. */
async function parseForm(body: Buffer): Promise<FormData> {
  const boundary = /^--(\S+)\r\n/.exec(body.toString('latin1'))?.[1];
  if (!boundary) throw new ApiError(400, 8000095, '_worker.bundle is not a form');
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}` };
  return await new Response(new Uint8Array(body), { headers }).formData();
}

async function textOf(form: FormData, name: string): Promise<string> {
  const value = form.get(name);
  if (value === null) throw new ApiError(400, 8000095, `_worker.bundle has no ${name}`);
  return typeof value === 'string' ? value : await value.text();
}

const MODULE_TYPES: Record<string, 'ESModule' | 'CompiledWasm' | 'Text' | 'Data'> = {
  'application/javascript+module': 'ESModule',
  'application/wasm': 'CompiledWasm',
  'text/plain': 'Text',
  'application/octet-stream': 'Data',
};

/** Returns the modules as Miniflare needs them, the main one first. */
async function modulesOf(form: FormData, main: string) {
  const files = [...form.entries()].flatMap(([path, file]) =>
    typeof file === 'string' ? [] : [{ path, file }],
  );
  if (!files.some(({ path }) => path === main)) {
    throw new ApiError(400, 8000095, `_worker.bundle has no module ${main}`);
  }
  files.sort((a, b) => Number(b.path === main) - Number(a.path === main));
  return await Promise.all(
    files
      .filter(({ file }) => file.type in MODULE_TYPES)
      .map(async ({ path, file }) => ({
        type: MODULE_TYPES[file.type]!,
        path,
        contents: new Uint8Array(await file.arrayBuffer()),
      })),
  );
}

function pick(
  bindings: Binding[],
  type: string,
  value: (binding: Binding) => string,
): Record<string, string> {
  return Object.fromEntries(
    bindings.filter((binding) => binding.type === type).map((binding) => [binding.name, value(binding)]),
  );
}

function asset(assets: Map<string, Asset>, path: string): MiniflareResponse {
  const found = assets.get(path);
  if (!found) return new MiniflareResponse('Not found', { status: 404 });
  return new MiniflareResponse(found.contents, { headers: { 'content-type': found.contentType } });
}
