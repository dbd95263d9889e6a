import type { SessionKV } from '../session-kv.js';

type Put = Parameters<SessionKV['put']>;
type List = Parameters<SessionKV['list']>;

export type Operation =
  | { method: 'get'; key: string | string[] }
  | { method: 'put'; key: string; value: string; options: Put[2] }
  | { method: 'delete'; key: string }
  | { method: 'list'; options: List[0] };

export type OperationCounts = Record<Operation['method'], number>;

/** Passes everything on to a KV, notes it down, and fails where a test says so. */
export class RecordingKV implements SessionKV {
  operations: Operation[] = [];
  /** The most operations that were under way at once. */
  peak = 0;
  #underWay = 0;
  #failure: { at: number; error: unknown } | null = null;

  constructor(private readonly inner: SessionKV) {}

  /** Forgets what was noted, and any failure still to come. */
  reset(): void {
    this.operations = [];
    this.peak = 0;
    this.#failure = null;
  }

  /** Makes the operation of that number from now on (0 is the next) reject with this very value, undone. */
  failAt(number: number, error: unknown): void {
    this.reset();
    this.#failure = { at: number, error };
  }

  counts(): OperationCounts {
    const counts = { get: 0, put: 0, delete: 0, list: 0 };
    for (const { method } of this.operations) counts[method] += 1;
    return counts;
  }

  puts() {
    return this.operations.filter((operation) => operation.method === 'put');
  }

  get(key: string | string[]) {
    return this.#pass({ method: 'get', key }, () => this.inner.get(key));
  }

  put(...[key, value, options]: Put) {
    return this.#pass({ method: 'put', key, value, options }, () => this.inner.put(key, value, options));
  }

  delete(key: string) {
    return this.#pass({ method: 'delete', key }, () => this.inner.delete(key));
  }

  list(...[options]: List) {
    return this.#pass({ method: 'list', options }, () => this.inner.list(options));
  }

  async #pass<T>(operation: Operation, run: () => Promise<T>): Promise<T> {
    const number = this.operations.push(operation) - 1;
    if (this.#failure?.at === number) throw this.#failure.error;
    this.peak = Math.max(this.peak, ++this.#underWay);
    try {
      return await run();
    } finally {
      this.#underWay -= 1;
    }
  }
}
