import { createReadStream, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { readPublicKey } from '@/lib/audit/signing'
import { verifyExport } from '@/lib/audit/verify/verify-export'
import { AppError } from '@/lib/core/errors'

// `npm run --silent verify-audit -- FILE --key PEM …`: needs the two files, and nothing of the system.

const USAGE = 'Usage: npm run --silent verify-audit -- export.ndjson --key public.pem [--key earlier.pem]'

async function main(): Promise<void> {
  const { file, keys } = readArguments()
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
  const { ok, entries, from, signed, unsigned, fault } = await verifyExport(lines, keys)
  const proved =
    signed === null
      ? 'Nothing is proved.'
      : `Proved up to seal ${signed.seq}, signed at ${signed.at} with key ${signed.keyId}.`
  if (!ok) {
    process.stdout.write(`NOT PROVED: line ${fault?.line}: ${fault?.why}. ${proved}\n`)
    process.exitCode = 1
    return
  }
  process.stdout.write(
    `OK: ${entries} entries from seal ${from} on. ${proved} ${unsigned} after it are chained and not signed yet.\n`,
  )
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: { key: { type: 'string', multiple: true } },
      allowPositionals: true,
      strict: true,
    })
    const [file] = positionals
    if (file !== undefined && positionals.length === 1 && values.key !== undefined)
      return { file, keys: values.key.map((path) => readPublicKey(readFileSync(path, 'utf8'))) }
  } catch (cause) {
    throw new AppError('invalid', `${(cause as Error).message}\n${USAGE}`, { cause })
  }
  throw new AppError('invalid', `One file and at least one --key are needed.\n${USAGE}`)
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
}
