import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Runtime = {
  databaseUrl: string
  consoleUrl: string
  otlpUrl: string
  serviceUrl: string | null
  providerUrl: string | null
}

/** Tells command line tools where this start listens; it holds credentials, so only its owner reads it. */
export function writeRuntime(folder: string, runtime: Runtime): () => void {
  const path = join(folder, 'runtime.json')
  writeFileSync(`${path}.new`, `${JSON.stringify(runtime, null, 2)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
  return () => rmSync(path, { force: true })
}
