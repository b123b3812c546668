/** What this version's code was written against, oldest first; a test compares it with prisma/migrations. */
export const MIGRATIONS = ['20261130000000_first', '20261130120000_conditions'] as const
