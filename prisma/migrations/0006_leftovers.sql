CREATE TABLE "Leftover" (
    "user_id" TEXT NOT NULL PRIMARY KEY,
    "since" BIGINT NOT NULL
);
CREATE INDEX "Leftover_since_idx" ON "Leftover"("since");
