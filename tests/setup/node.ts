/**
 * Node computes the MACs of WebCrypto in other threads, so their answers come whenever those are done. In a Worker they come at once. The
 * simulation orders what happens by turns of one thread, so here they come at once, too.
 */
import { createHmac, KeyObject, timingSafeEqual } from 'node:crypto';

const { subtle } = globalThis.crypto;
const verify = subtle.verify.bind(subtle);

subtle.verify = async (algorithm, key, signature, data) => {
  if (algorithm !== 'HMAC') return verify(algorithm, key, signature, data);
  const mac = createHmac('sha256', KeyObject.from(key)).update(bytesOf(data)).digest();
  const given = bytesOf(signature);
  return mac.length === given.length && timingSafeEqual(mac, given);
};

function bytesOf(data: BufferSource): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
