import { expect, test } from 'vitest'
import { applyMigrations, diffToSchema } from '@/prisma/engine'
import { createEmptyDatabase } from '../support/database'

test('the migrations and schema.prisma agree, and migrating twice changes nothing', async () => {
  const database = await createEmptyDatabase()
  expect((await applyMigrations(database.url)).length).toBeGreaterThan(0)
  expect(await applyMigrations(database.url)).toEqual([])
  expect((await diffToSchema(database.url)).trim()).toBe('-- This is an empty migration.')
  await database.close()
})
