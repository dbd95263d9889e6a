export async function writePage() {
  return { missed: [] };
}
