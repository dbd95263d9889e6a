CREATE TABLE "DeviceKey" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "session_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "epoch" BIGINT NOT NULL,
    "public_key" TEXT NOT NULL,
    "created_at" BIGINT NOT NULL,
    "expires_at" BIGINT NOT NULL,
    CONSTRAINT "DeviceKey_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE UNIQUE INDEX "DeviceKey_session_id_key" ON "DeviceKey"("session_id");
CREATE INDEX "DeviceKey_user_id_idx" ON "DeviceKey"("user_id");
CREATE INDEX "DeviceKey_expires_at_idx" ON "DeviceKey"("expires_at");
