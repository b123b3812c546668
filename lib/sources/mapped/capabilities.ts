import type { StoreCapabilities } from '../contracts'
import type { MappedConfig } from './config'
import type { Table } from './resolve'

type Reasons = NonNullable<StoreCapabilities['reasons']>

/** What is safe on this table, and why the rest is not offered. Before the catalogue was read: as the mapping says. */
export function capabilitiesOf(config: MappedConfig, table: Table | null): StoreCapabilities {
  const reasons: Reasons = {}
  for (const verb of ['release', 'complete', 'fail'] as const) {
    const reason = verbRefusal(config, table, verb)
    if (reason !== null) reasons[verb] = reason
  }
  const collect = collectRefusal(config, table)
  if (collect !== null) reasons.collect = collect
  return {
    canRelease: reasons.release === undefined,
    canComplete: reasons.complete === undefined,
    canFail: reasons.fail === undefined,
    canCollect: collect === null,
    casStrength: table?.versioned === false ? 'value' : 'version',
    zombieSafe: config.zombieSafe,
    providerKeyed: config.providerKeyed,
    collection: collect === null ? 'batched_delete' : 'report_only',
    reasons,
  }
}

function verbRefusal(
  config: MappedConfig,
  table: Table | null,
  verb: 'release' | 'complete' | 'fail',
): string | null {
  if (config.state.kind === 'finished') return 'The library writes finished rows only: no key is ever held.'
  if (config.lease === undefined)
    return 'The library keeps no lease: nothing in the store tells that a holder is dead. Such a key is stuck until it expires.'
  if (config[verb] === undefined) return `The mapping does not say what a ${verb} writes.`
  if (verb === 'complete' && (config.columns.status === undefined || config.columns.body === undefined))
    return 'The mapping names no columns for the status and the body of a response.'
  if (table === null) return null
  if (!table.versioned) return 'It is a view: its rows have no version that a change could be compared with.'
  if (!table.may.update) return 'The role may not change rows of this table.'
  return null
}

function collectRefusal(config: MappedConfig, table: Table | null): string | null {
  if (!config.collect) return 'Collection is not switched on in the mapping.'
  if (table === null) return null
  if (!table.versioned) return 'It is a view: rows are not deleted through it.'
  if (!table.may.delete) return 'The role may not delete rows of this table.'
  const order = config.order ?? config.columns.createdAt
  if (!table.indexed.has(order))
    return `No index begins with ${order}: a collection would read the whole table again and again.`
  return null
}
