/** What this version's code was written against, oldest first; a test compares it with prisma/migrations. */
export const MIGRATIONS = [
  '20261130000000_first',
  '20261130120000_conditions',
  '20261130130000_notification',
  '20261130140000_held',
  '20261130150000_incidents',
  '20261201000000_messages',
  '20261201010000_edited_messages',
  '20261201020000_sources',
  '20261201030000_set_apart',
  '20261201040000_short_consumers',
  '20261201050000_held_back',
] as const
