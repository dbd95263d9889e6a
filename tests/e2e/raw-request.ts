import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

/** The exact bytes of a request. A header may occur twice. */
export type RawRequest = {
  method: string;
  path: string;
  headers: [name: string, value: string][];
  body?: Buffer | string;
};

export type RawAnswer = { status: number; headers: IncomingHttpHeaders; body: string };

const ANSWER_WITHIN_MILLISECONDS = 60_000;
const HEADERS_MAX_BYTES = 64 * 1_024;

/** Sends requests that no browser and no `fetch` would allow. */
export class RawClient {
  private readonly agent: Agent;

  constructor(
    private readonly origin: URL,
    maxSockets: number,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets });
  }

  /** Rejects if the response does not come in time, because a hang is a failure. */
  send({ method, path, headers, body }: RawRequest): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const request = httpRequest({
        agent: this.agent,
        host: this.origin.hostname,
        port: this.origin.port,
        method,
        path,
        signal: AbortSignal.timeout(ANSWER_WITHIN_MILLISECONDS),
        maxHeaderSize: HEADERS_MAX_BYTES,
      });
      // Repeated headers stay separate.
      const names = new Set(headers.map(([name]) => name));
      for (const name of names) {
        const values = headers.filter(([other]) => other === name).map(([, value]) => value);
        request.setHeader(name, values.length === 1 ? (values[0] ?? '') : values);
      }
      if (body !== undefined) request.setHeader('content-length', Buffer.byteLength(body));
      request.on('error', reject);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('error', reject);
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const { statusCode = 0, headers: answered } = response;
          resolve({ status: statusCode, headers: answered, body: decode(Buffer.concat(chunks), answered) });
        });
      });
      request.end(body);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

function decode(body: Buffer, headers: IncomingHttpHeaders): string {
  if (body.length === 0) return '';
  if (headers['content-encoding'] === 'gzip') return gunzipSync(body).toString();
  if (headers['content-encoding'] === 'br') return brotliDecompressSync(body).toString();
  return body.toString();
}
