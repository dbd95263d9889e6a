import { KVNamespace } from '@miniflare/kv';
import { MemoryStorage } from '@miniflare/storage-memory';
import { describeAdapterContract } from './adapter-contract';

const openKv = () => ({ kv: new KVNamespace(new MemoryStorage()) });

describeAdapterContract('@miniflare/kv 2', { layout: 'index', openKv });
describeAdapterContract('@miniflare/kv 2', { layout: 'owner', openKv });
