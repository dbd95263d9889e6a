ALTER TABLE "RevokedSession" ADD COLUMN "line" TEXT;
CREATE INDEX "RevokedSession_line_idx" ON "RevokedSession"("line");
-- Rotations from before: the id that each line began with.
UPDATE "RevokedSession" SET "line" = (
    WITH RECURSIVE back (id) AS (
        SELECT "RevokedSession"."id"
        UNION SELECT earlier."id" FROM "RevokedSession" AS earlier JOIN back ON earlier."replaced_by" = back.id)
    SELECT id FROM back WHERE NOT EXISTS (SELECT 1 FROM "RevokedSession" AS earlier WHERE earlier."replaced_by" = back.id))
WHERE "replaced_by" IS NOT NULL;
