/** What this version's code was written against, oldest first; a test compares it with prisma/migrations. */
export const MIGRATIONS = [
  '20261130000000_first',
  '20261130010000_late_rows',
  '20261130020000_lowered_administrators',
  '20261130020100_unlisted_locks',
] as const
