/** Whether a URL points to this machine. No network lies in between, so plain http is as safe as https there. */
export function isLoopback({ hostname }: URL): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) || hostname.endsWith('.localhost');
}
