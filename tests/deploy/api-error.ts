/** An answer of Cloudflare's API that is not a success, with the code by which wrangler knows it. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}
