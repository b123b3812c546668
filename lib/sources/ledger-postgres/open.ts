import { z } from 'zod'
import { type Clock, systemClock } from '@/lib/core/clock'
import { type LedgerCorrection, type LedgerSource, SourceUnavailableError } from '../contracts'
import { openSourcePool, type SourcePool, storeClock } from '../postgres-pool'
import { type LedgerConfig, postingKinds } from './config'
import { copyPage, copyRows, readBounds } from './copy-rows'
import { type Mapping, resolveMapping } from './mapping'
import { cursorNow, passedRows } from './position'
import { readByEntryIds, readByProviderRefs, readCorrection, readRows } from './read-rows'

/** A mapped table or view of the application. Read in read-only sessions; changed by one named function of its own. */
export function openLedgerSource(
  config: LedgerConfig,
  secret: { url: string },
  clock: Clock = systemClock,
): LedgerSource {
  const common = { url: secret.url, statementTimeoutMs: config.statementTimeoutMs }
  const reader = openSourcePool({
    ...common,
    applicationName: 'idemscope-ledger',
    readOnly: true,
    poolMax: config.poolMax,
  })
  const writer = openSourcePool({
    ...common,
    applicationName: 'idemscope-correction',
    readOnly: false,
    poolMax: 1,
  })
  let resolved: Promise<Mapping> | undefined
  const mapping = (): Promise<Mapping> => {
    // Kept once it worked; a failure (the table is not there yet) is tried again.
    resolved ??= resolveMapping(reader, config).catch((error: unknown) => {
      resolved = undefined
      throw error
    })
    return resolved
  }
  const ledger = async () => ({ pool: reader, config, mapping: await mapping(), clock })
  return {
    kind: 'ledger',
    canCorrect: config.correction !== undefined,
    postingKinds: postingKinds(config),
    showsReversals: config.columns.reversedAt !== undefined,
    readRows: async (cursor, limit) => readRows(await ledger(), cursor, limit),
    bounds: async () => readBounds(reader, await mapping()),
    copyRows: async (range, openSink) => copyRows(secret.url, config, await mapping(), range, openSink),
    copyPage: async (cursor, limit, openSink) =>
      copyPage({ ...(await ledger()), url: secret.url }, cursor, limit, openSink),
    cursorNow: async () => cursorNow(await ledger()),
    passedRows: async (cursor, rows) => passedRows(await ledger(), cursor, rows),
    storeClock: () => storeClock(reader),
    readByProviderRefs: async (refs) => readByProviderRefs(reader, config, await mapping(), refs),
    readByEntryIds: async (ids) => readByEntryIds(reader, config, await mapping(), ids),
    readCorrection: async (correction) => readCorrection(reader, config, await mapping(), correction),
    correct: async (correction) => correct(writer, await mapping(), correction),
    async close() {
      await Promise.all([reader.close(), writer.close()])
    },
  }
}

const answerSchema = z.object({ applied: z.boolean(), entryId: z.union([z.string(), z.number()]).nullish() })

async function correct(pool: SourcePool, mapping: Mapping, correction: LedgerCorrection) {
  if (mapping.correction === null) throw new SourceUnavailableError('this ledger has no correction function')
  const parameter = { ...correction, amountMinor: correction.amountMinor.toString() }
  const [row] = await pool.query(`SELECT ${mapping.correction}($1::jsonb) AS answer`, [
    JSON.stringify(parameter),
  ])
  const answer = answerSchema.parse(row?.answer)
  return { applied: answer.applied, entryId: answer.entryId?.toString() ?? null }
}
