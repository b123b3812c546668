import { env } from '@/lib/env'
import { applyMigrations } from './engine'

// `npm run migrate`: brings DATABASE_URL to this version's schema.
const url = env().DATABASE_URL
if (url === undefined) {
  console.error(
    'DATABASE_URL is not set. The embedded PostgreSQL migrates itself at start; this is for an external one.',
  )
  process.exit(2)
}
const applied = await applyMigrations(url)
console.log(applied.length === 0 ? 'Up to date.' : `Applied ${applied.join(', ')}.`)
