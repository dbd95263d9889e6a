import { randomBytes } from 'node:crypto';
import { ApiError } from './api-error';

/** The KV namespaces of an account. */
export class KvNamespaces {
  readonly #titles = new Map<string, string>();

  list() {
    return [...this.#titles].map(([id, title]) => ({ id, title, supports_url_encoding: true }));
  }

  create(title: string) {
    if ([...this.#titles.values()].includes(title)) {
      throw new ApiError(400, 10014, 'a namespace with this account ID and title already exists');
    }
    const id = randomBytes(16).toString('hex');
    this.#titles.set(id, title);
    return { id, title };
  }

  require(id: string): void {
    if (!this.#titles.has(id)) throw new ApiError(400, 10041, `KV namespace '${id}' not found`);
  }
}
