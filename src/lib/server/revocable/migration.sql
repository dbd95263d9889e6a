-- The ledger of revocable sessions, for D1. Each sign-in deletes some of the expired rows.

-- A session stands only in its user's epoch: raising the epoch ends all sessions.
CREATE TABLE "SessionOwner" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "username" TEXT NOT NULL,
    "session_epoch" BIGINT NOT NULL
);

-- Sessions that have ended, kept as long as they could have lived.
CREATE TABLE "RevokedSession" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "user_id" TEXT NOT NULL,
    "revoked_at" BIGINT NOT NULL,
    "expires_at" BIGINT NOT NULL,
    "reason" TEXT NOT NULL,
    "replaced_by" TEXT,
    "line" TEXT,
    CONSTRAINT "RevokedSession_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "SessionOwner" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "RevokedSession_user_id_idx" ON "RevokedSession"("user_id");
CREATE INDEX "RevokedSession_expires_at_idx" ON "RevokedSession"("expires_at");
CREATE INDEX "RevokedSession_replaced_by_idx" ON "RevokedSession"("replaced_by");
CREATE INDEX "RevokedSession_line_idx" ON "RevokedSession"("line");

-- Sign-ins and what ended them. The ledger recognizes a session that KV does not show by its sign-in.
CREATE TABLE "SecurityEvent" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "user_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "session_id" TEXT,
    "device" TEXT NOT NULL,
    "place" TEXT NOT NULL,
    "at" BIGINT NOT NULL,
    CONSTRAINT "SecurityEvent_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "SessionOwner" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "SecurityEvent_user_id_id_idx" ON "SecurityEvent"("user_id", "id");
CREATE INDEX "SecurityEvent_at_idx" ON "SecurityEvent"("at");
CREATE INDEX "SecurityEvent_session_id_idx" ON "SecurityEvent"("session_id");
