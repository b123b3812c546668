/**
 * What every adapter offers. Adapters answer in these shapes whatever the store, ledger or provider; nothing here
 * knows of databases or of HTTP.
 */

import type { IntentSource } from './intent'
import type { LedgerSource } from './ledger'
import type { MessageSource } from './messages'
import type { ProviderSource } from './provider'

export const SOURCE_KINDS = ['intent', 'ledger', 'provider', 'outbox', 'dead_letters'] as const
export type SourceKind = (typeof SOURCE_KINDS)[number]

export type AnySource = IntentSource | LedgerSource | ProviderSource | MessageSource

export * from './detected-layout'
export * from './fault'
export * from './holds'
export * from './intent'
export * from './ledger'
export * from './messages'
export * from './pages'
export * from './provider'
export * from './unreadable-row'
