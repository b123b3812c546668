import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

const hex = z.string().regex(/^[0-9a-f]+$/)
const schema = z.object({
  keySecret: hex,
  authSecret: hex,
  credentialsKey: hex,
  auditKey: hex,
  consolePassword: hex,
  servicePassword: hex,
  sourcePassword: hex,
  providerReadKey: hex,
  providerWriteKey: hex,
  adminPassword: hex,
  operatorPassword: hex,
  approverPassword: hex,
})
export type Secrets = z.infer<typeof schema>

const BYTES: Record<keyof Secrets, number> = {
  keySecret: 32,
  authSecret: 32,
  credentialsKey: 32,
  auditKey: 32,
  consolePassword: 24,
  servicePassword: 24,
  sourcePassword: 24,
  providerReadKey: 16,
  providerWriteKey: 16,
  adminPassword: 12,
  operatorPassword: 8,
  approverPassword: 8,
}

/** Secrets of the embedded default, made at the first start and kept in the data folder (mode 0600). */
export function readOrCreateSecrets(folder: string): Secrets {
  const path = join(folder, 'secrets.json')
  const known: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {}
  const made = Object.fromEntries(
    Object.entries(BYTES).map(([name, bytes]) => [name, randomBytes(bytes).toString('hex')]),
  )
  const secrets = schema.parse({ ...made, ...(known as object) })
  writeFileSync(path, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 })
  return secrets
}
