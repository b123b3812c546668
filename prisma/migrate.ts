import { startProcess } from '@/jobs/process'
import { waitForDatabase } from '@/jobs/wait-for-database'
import { giveBackAuditSql, takeAuditSql } from '@/lib/audit/owner'
import { env } from '@/lib/env'
import { applyMigrations } from './engine'

// `npm run migrate`: brings DATABASE_URL to this version's schema. With --audit-owner-sql, or --audit-give-back-sql, it
// only prints what a superuser runs in that database after, or before: see docs/guides/operating.md.
const url = env().DATABASE_URL
if (url === undefined) {
  console.error(
    'DATABASE_URL is not set. The embedded PostgreSQL migrates itself at start; this is for an external one.',
  )
  process.exit(2)
}
const { username, pathname } = new URL(url)
const place = { role: decodeURIComponent(username), database: decodeURIComponent(pathname.slice(1)) }
switch (process.argv[2]) {
  case '--audit-owner-sql':
    process.stdout.write(takeAuditSql(place))
    break
  case '--audit-give-back-sql':
    process.stdout.write(giveBackAuditSql(place))
    break
  default:
    await startProcess(async () => {
      await waitForDatabase(url)
      const applied = await applyMigrations(url)
      console.log(applied.length === 0 ? 'Up to date.' : `Applied ${applied.join(', ')}.`)
    })
}
