import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { type EmbeddedPostgres, startEmbeddedPostgres, THROW_AWAY } from '@/jobs/supervisor/embedded/postgres'
import { applyMigrations } from '@/prisma/engine'
import { exitOnSignals } from './support/interrupted'
import { makeThrowAwayFolder } from './support/throw-away-folder'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
  }
}

/** One throw-away cluster for the whole test run, with a migrated template database. */
export default async function setup(project: TestProject) {
  const folder = makeThrowAwayFolder('test')
  // What was killed a moment ago may still write a file or two.
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  // Ctrl-C: Vitest waits for nothing then. The server ends with this process, and then its folder goes.
  exitOnSignals()
  process.once('exit', remove)
  const postgres = await startEmbeddedPostgres(folder, {
    settings: [...THROW_AWAY, 'max_prepared_transactions=10', `unix_socket_directories=${tmpdir()}`],
    // With a signal initdb has a group of its own, which ends with this process.
    signal: new AbortController().signal,
  })
  const end = async () => {
    await postgres.stop()
    remove()
  }
  try {
    await createTemplate(postgres)
  } catch (error) {
    await end()
    throw error
  }
  project.provide('postgresUrl', postgres.url('postgres'))
  return end
}

async function createTemplate(postgres: EmbeddedPostgres): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.url('postgres') })
  await client.connect()
  await client.query('CREATE DATABASE idemscope_template')
  await client.end()
  await applyMigrations(postgres.url('idemscope_template'))
}
