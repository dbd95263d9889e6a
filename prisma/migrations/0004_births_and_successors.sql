ALTER TABLE "RevokedSession" ADD COLUMN "replaced_by" TEXT;
CREATE INDEX "RevokedSession_replaced_by_idx" ON "RevokedSession"("replaced_by");
CREATE INDEX "SecurityEvent_session_id_idx" ON "SecurityEvent"("session_id");
