-- Retention: policies that two people agreed on, what was collected, and the archives that were written before.

CREATE TABLE "retention_policy" (
    "id" TEXT NOT NULL,
    "source_id" TEXT NOT NULL,
    "tier" TEXT NOT NULL DEFAULT '',
    "endpoint" TEXT NOT NULL DEFAULT '',
    "ttl_ms" BIGINT,
    "safety_ms" BIGINT NOT NULL,
    "archive" BOOLEAN NOT NULL,
    "action_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL DEFAULT 1,
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "retention_policy_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "collection_mark" (
    "id" TEXT NOT NULL,
    "source_id" TEXT NOT NULL,
    "run_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "mode" TEXT NOT NULL,
    "rows" BIGINT NOT NULL,
    "bytes" BIGINT NOT NULL,
    "unfinished" INTEGER NOT NULL,
    "archives" INTEGER NOT NULL,

    CONSTRAINT "collection_mark_pkey" PRIMARY KEY ("id")
);

CREATE TABLE "archive" (
    "id" TEXT NOT NULL,
    "source_id" TEXT NOT NULL,
    "run_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,
    "file" TEXT NOT NULL,
    "rows" INTEGER NOT NULL,
    "bytes" BIGINT NOT NULL,
    "sha256" TEXT NOT NULL,
    "collected_at" TIMESTAMPTZ(3),

    CONSTRAINT "archive_pkey" PRIMARY KEY ("id")
);

CREATE UNIQUE INDEX "retention_policy_source_id_tier_endpoint_key" ON "retention_policy"("source_id", "tier", "endpoint");
CREATE INDEX "collection_mark_source_id_at_idx" ON "collection_mark"("source_id", "at");
CREATE UNIQUE INDEX "collection_mark_source_id_run_id_key" ON "collection_mark"("source_id", "run_id");
CREATE INDEX "archive_source_id_at_idx" ON "archive"("source_id", "at");

ALTER TABLE "retention_policy" ADD CONSTRAINT retention_policy_bounds
  CHECK (safety_ms >= 0 AND (ttl_ms IS NULL OR ttl_ms >= 1000));
