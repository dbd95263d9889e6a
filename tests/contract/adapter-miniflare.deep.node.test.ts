import { Miniflare, convertV4MiniflareOptions } from 'miniflare';
import { testAdapterContract, type ContractKV } from './adapter-contract';

async function openKv(): Promise<ContractKV> {
  const script = 'export default { fetch: () => new Response(null, { status: 404 }) }';
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({ modules: true, script, kvNamespaces: ['SESSIONS'] }),
  );
  return { kv: await miniflare.getKVNamespace('SESSIONS'), close: () => miniflare.dispose() };
}

testAdapterContract('Miniflare from Node', openKv);
