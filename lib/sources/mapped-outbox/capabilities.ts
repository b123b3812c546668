import type { MessageCapabilities } from '../contracts'
import type { Table } from '../mapped/resolve'
import { hasDead, type MappedOutboxConfig } from './config'

const EDIT =
  'What else belongs to a new message only its library knows: publish a changed one through the service.'

/** What is safe on this table, and why the rest is not offered. Before the catalogue was read: as the mapping says. */
export function capabilitiesOf(config: MappedOutboxConfig, table: Table | null): MessageCapabilities {
  const redrive = refusal(config, table, 'redrive')
  const discard = refusal(config, table, 'discard')
  return {
    canRedrive: redrive === null,
    canDiscard: discard === null,
    canEdit: false,
    ...(config.state.kind === 'unmarked'
      ? { reading: 'No row says whether it was sent: what is unsent is not measured.' }
      : {}),
    reasons: {
      edit: EDIT,
      ...(redrive === null ? {} : { redrive }),
      ...(discard === null ? {} : { discard }),
    },
  }
}

function refusal(
  config: MappedOutboxConfig,
  table: Table | null,
  verb: 'redrive' | 'discard',
): string | null {
  const known = config.reasons[verb]
  if (known !== undefined) return known
  if (!hasDead(config)) return 'Nothing in this table says that a message was given up: it is tried for ever.'
  if (config[verb] === undefined) return `The mapping does not say what a ${verb} writes.`
  if (table === null) return null
  if (!table.versioned) return 'It is a view: its rows have no version to compare.'
  if (!table.isUnique(config.columns.id))
    return `No unique index says that ${config.columns.id} names one row.`
  if (!table.may.update) return 'The role may not update this table.'
  return null
}
