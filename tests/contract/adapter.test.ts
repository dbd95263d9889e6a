import { env } from 'cloudflare:workers';
import { testAdapterContract } from './adapter-contract';

testAdapterContract('workerd', () => ({ kv: env.SESSIONS }));
