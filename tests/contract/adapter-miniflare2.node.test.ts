import { KVNamespace } from '@miniflare/kv';
import { MemoryStorage } from '@miniflare/storage-memory';
import { testAdapterContract } from './adapter-contract';

testAdapterContract('@miniflare/kv 2', () => ({ kv: new KVNamespace(new MemoryStorage()) }));
