import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { closeDatabase, type Db, openDatabase } from '@/lib/db'

export type TestDatabase = { url: string; adminUrl: string; db: Db; close(): Promise<void> }

/** A migrated console database of one's own, cloned from the template in some 35 ms. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { url, adminUrl, close } = await create('idemscope_template')
  const db = openDatabase(url, 10)
  return {
    url,
    adminUrl,
    db,
    async close() {
      await closeDatabase(db)
      await close()
    },
  }
}

/** An empty database, for the SDK's and the demo's own tables. */
export const createEmptyDatabase = (): Promise<{ url: string; adminUrl: string; close(): Promise<void> }> =>
  create('template0')

async function create(template: string) {
  const adminUrl = inject('postgresUrl')
  const name = `test_${randomUUID().replaceAll('-', '')}`
  await asAdmin(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`)
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  return { url: url.href, adminUrl, close: () => asAdmin(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`) }
}

async function asAdmin(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
