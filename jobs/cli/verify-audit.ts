import { createReadStream, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { readPublicKey } from '@/lib/audit/signing'
import { verifyExport } from '@/lib/audit/verify/verify-export'
import { AppError } from '@/lib/core/errors'

// `npm run --silent verify-audit -- FILE --key PEM …`: needs the two files, and nothing of the system.

const USAGE = 'Usage: npm run --silent verify-audit -- export.ndjson --key public.pem [--key earlier.pem]'

async function main(): Promise<void> {
  const { file, keys } = readArguments()
  const { ok, entries, from, signed, unsigned, fault } = await verifyExport(readLines(file), keys)
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

/** Ended by a line feed alone: since Node 24 readline also splits at U+2028 and U+2029, which an entry's text may hold. */
async function* readLines(file: string): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of createReadStream(file, 'utf8')) {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  yield rest
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
