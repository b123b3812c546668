/** What this version's code was written against, oldest first; a test compares it with prisma/migrations. */
export const MIGRATIONS = [
  '20261122000100_console',
  '20261122000200_telemetry',
  '20261122000300_mirror',
] as const
