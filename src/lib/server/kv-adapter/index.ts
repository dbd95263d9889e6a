export { cloudflareKvBinding, cloudflareKvBinding as default } from './binding.js';
export type { SessionLayout, KvPrefixes } from './binding.js';
export { sessionOwner } from './keys.js';
export type { SessionKV } from './session-kv.js';
