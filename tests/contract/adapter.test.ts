import { env } from 'cloudflare:workers';
import { describeAdapterContract } from './adapter-contract';

describeAdapterContract('workerd', { layout: 'index', openKv: () => ({ kv: env.SESSIONS }) });
describeAdapterContract('workerd', { layout: 'owner', openKv: () => ({ kv: env.SESSIONS }) });
