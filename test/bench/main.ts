import { parseArgs } from 'node:util'
import type { Bench } from './report'

// `npm run --silent bench -- NAME [--rows N]`: prints one JSON object a line; ends with 1 when a bound is missed.
// A bench is test/bench/NAME.ts with `export const bench: Bench`.

const NAMES = ['ingest', 'query', 'reconcile', 'gc', 'sdk', 'explorer'] as const

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { rows: { type: 'string' }, case: { type: 'string' } },
})
const name = NAMES.find((each) => each === positionals[0])
const rows = values.rows === undefined ? undefined : Number(values.rows)
if (name === undefined || (rows !== undefined && !(Number.isInteger(rows) && rows > 0))) {
  console.error(`Usage: npm run --silent bench -- ${NAMES.join('|')} [--rows N] [--case NAME]`)
  process.exit(2)
}

const loaded = await import(`./${name}.ts`).then(
  (module: { bench: Bench }) => module,
  (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    console.error(`There is no bench ${name} yet.`)
    process.exit(2)
  },
)
let ok = true
await loaded.bench({ rows, only: values.case }, (line) => {
  console.log(JSON.stringify({ bench: name, ...line }))
  ok &&= line.ok
})
process.exitCode = ok ? 0 : 1
