/** Whether an address is of this machine itself: no network lies between, so plain http is as good as https there. */
export function isLoopback({ hostname }: URL): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) || hostname.endsWith('.localhost');
}
