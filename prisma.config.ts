import { defineConfig } from 'prisma/config';

// `prisma generate` asks for a schema engine binary that it never runs; naming any existing file spares the download.
process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

export default defineConfig({ schema: 'prisma/schema.prisma' });
