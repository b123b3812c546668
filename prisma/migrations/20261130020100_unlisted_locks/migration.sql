SET lock_timeout = '5s';

-- The last check of each store's locks.
-- CreateTable
CREATE TABLE "lock_check" (
    "source_id" TEXT NOT NULL,
    "checked_at" TIMESTAMPTZ(3) NOT NULL,
    "listed" INTEGER NOT NULL,
    "more" BOOLEAN NOT NULL,

    CONSTRAINT "lock_check_pkey" PRIMARY KEY ("source_id")
);

RESET lock_timeout;
