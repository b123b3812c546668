import type { Pool, PoolClient } from 'pg'
import type Stripe from 'stripe'
import type { IdempotencyContext } from '../../sdk/idempotent'
import type { FaultPoints } from './fault-points'
import type { InFlight } from './in-flight'
import type { MailAccount } from './messaging/mail'
import type { Transact } from './transaction'

/** What the routes share. */
export interface Service {
  readonly transact: Transact
  readonly pool: Pool
  readonly stripe: Stripe
  readonly mail: MailAccount
  readonly points: FaultPoints
  readonly inFlight: InFlight
}

export type PaymentContext = IdempotencyContext<PoolClient>
