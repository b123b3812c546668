import { parseArgs } from 'node:util'
import type { Bench } from './report'

// `npm run --silent bench -- NAME [--rows N] [--case NAME] [--store redis]`: prints one JSON object a line; ends with 1 when a bound is missed.
// A bench is test/bench/NAME.ts with `export const bench: Bench`.

const NAMES = [
  'ingest',
  'query',
  'reconcile',
  'gc',
  'sdk',
  'explorer',
  'gateway',
  'outbox',
  'adapters',
] as const

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string' }, case: { type: 'string' }, store: { type: 'string' } },
})
const name = NAMES.find((each) => each === positionals[0])
const rows = values.rows === undefined ? undefined : Number(values.rows)
if (name === undefined || (rows !== undefined && !(Number.isInteger(rows) && rows > 0))) {
  console.error(
    `Usage: npm run --silent bench -- ${NAMES.join('|')} [--rows N] [--case NAME] [--store redis]`,
  )
  process.exit(2)
}

// A store other than PostgreSQL has a file of its own.
const file = values.store === undefined ? name : `${name}-${values.store}`
const loaded = await import(`./${file}.ts`).then(
  (module: { bench: Bench }) => module,
  (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    console.error(`There is no bench ${file} yet.`)
    process.exit(2)
  },
)
let ok = true
await loaded.bench({ rows, only: values.case }, (line) => {
  console.log(JSON.stringify({ bench: name, ...line }))
  ok &&= line.ok
})
process.exitCode = ok ? 0 : 1
