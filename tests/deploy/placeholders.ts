/**
 * Resets wrangler.toml to a clone that was never deployed, so that these tests also pass in one that was. All ids are the same. That way a
 * test notices if an id is found by its value.
 */
export function withPlaceholders(wranglerToml: string): string {
  return wranglerToml
    .replaceAll(/^id = ".*"$/gm, `id = "${'0'.repeat(32)}"`)
    .replaceAll(/^database_id = ".*"$/gm, 'database_id = "00000000-0000-0000-0000-000000000000"');
}
