/**
 * wrangler.toml as in a clone that was never deployed: these tests also pass in one that was. All ids alike, so that writing
 * one of them by what it looks like would be seen.
 */
export function withPlaceholders(wranglerToml: string): string {
  return wranglerToml
    .replaceAll(/^id = ".*"$/gm, `id = "${'0'.repeat(32)}"`)
    .replaceAll(/^database_id = ".*"$/gm, 'database_id = "00000000-0000-0000-0000-000000000000"');
}
