CREATE TABLE "User" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "username" TEXT NOT NULL,
    "session_epoch" BIGINT NOT NULL DEFAULT 0,
    "created_at" BIGINT NOT NULL DEFAULT (unixepoch() * 1000)
);
CREATE UNIQUE INDEX "User_username_key" ON "User"("username");

CREATE TABLE "Key" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "hashed_password" TEXT,
    "user_id" TEXT NOT NULL,
    CONSTRAINT "Key_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "Key_user_id_idx" ON "Key"("user_id");

CREATE TABLE "RevokedSession" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "user_id" TEXT NOT NULL,
    "revoked_at" BIGINT NOT NULL,
    "expires_at" BIGINT NOT NULL,
    "reason" TEXT NOT NULL,
    CONSTRAINT "RevokedSession_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "RevokedSession_user_id_idx" ON "RevokedSession"("user_id");
CREATE INDEX "RevokedSession_expires_at_idx" ON "RevokedSession"("expires_at");
