export { cloudflareKvBinding } from './binding';
export type { SessionLayout, KvPrefixes } from './binding';
export { sessionOwner } from './keys';
export type { SessionKV } from './session-kv';
