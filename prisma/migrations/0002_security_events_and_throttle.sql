CREATE TABLE "SecurityEvent" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "user_id" TEXT NOT NULL,
    "type" TEXT NOT NULL,
    "session_id" TEXT,
    "device" TEXT NOT NULL,
    "place" TEXT NOT NULL,
    "at" BIGINT NOT NULL,
    CONSTRAINT "SecurityEvent_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "SecurityEvent_user_id_id_idx" ON "SecurityEvent"("user_id", "id");
CREATE INDEX "SecurityEvent_at_idx" ON "SecurityEvent"("at");

CREATE TABLE "SignInThrottle" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "failures" INTEGER NOT NULL,
    "blocked_until" BIGINT NOT NULL,
    "expires_at" BIGINT NOT NULL
);
CREATE INDEX "SignInThrottle_expires_at_idx" ON "SignInThrottle"("expires_at");
