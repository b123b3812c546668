import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { grantsForConsole } from '@/sdk/stores/grants'
import { brandurConfigSchema, brandurMapping } from './brandur/config'
import type { AnySource, SourceKind } from './contracts'
import { kafkaConfigSchema, kafkaSecretSchema } from './dead-letters/kafka/config'
import { kafkaGrants } from './dead-letters/kafka/grants'
import { openKafkaDeadLetters } from './dead-letters/kafka/open'
import { rabbitConfigSchema, rabbitSecretSchema } from './dead-letters/rabbitmq/config'
import { rabbitGrants } from './dead-letters/rabbitmq/grants'
import { openRabbitDeadLetters } from './dead-letters/rabbitmq/open'
import { sqsConfigSchema, sqsSecretSchema } from './dead-letters/sqs/config'
import { openSqsDeadLetters } from './dead-letters/sqs/open'
import { sqsPolicy } from './dead-letters/sqs/policy'
import { dynamoSecretSchema } from './dynamodb/address'
import { dynamoConfigSchema } from './dynamodb/config'
import { openDynamoSource } from './dynamodb/open'
import { policyText } from './dynamodb/policy'
import { ledgerConfigSchema } from './ledger-postgres/config'
import { openLedgerSource } from './ledger-postgres/open'
import { mappedConfigSchema } from './mapped/config'
import { openMappedSource } from './mapped/open'
import { roleSql } from './mapped/role-sql'
import { mappedOutboxConfigSchema } from './mapped-outbox/config'
import { mappedOutboxGrants } from './mapped-outbox/grants'
import { openMappedMessages } from './mapped-outbox/open'
import { nativeConfigSchema, postgresSecretSchema } from './native/config'
import { openNativeSource } from './native/open'
import { nativeDynamoConfigSchema } from './native-dynamodb/config'
import { nativeDynamoPolicy } from './native-dynamodb/grants'
import { openNativeDynamoSource } from './native-dynamodb/open'
import { hybridConfigSchema, hybridSecretSchema } from './native-hybrid/config'
import { hybridGrants } from './native-hybrid/grants'
import { openHybridSource } from './native-hybrid/open'
import { nativeRedisConfigSchema } from './native-redis/config'
import { nativeRedisGrants } from './native-redis/grants'
import { openNativeRedisSource } from './native-redis/open'
import { outboxConfigSchema } from './outbox/config'
import { openOutboxSource } from './outbox/open'
import { recipeConfigSchema, recipeMapping } from './recipe/config'
import { redisConfigSchema, redisSecretSchema } from './redis/config'
import { redisGrants } from './redis/grants'
import { openRedisSource } from './redis/open'
import { stripeConfigSchema, stripeSecretSchema } from './stripe/config'
import { openStripeSource } from './stripe/open'

export type SourceRules = {
  demo: boolean
  /** Every session refuses writes: for a look at a store before it is connected. */
  readOnly?: boolean
  /** Ours; it is compared with the source's, to tell a step of that. */
  clock?: Clock
}

type Adapter<K extends SourceKind, C, S> = {
  kind: K
  config: z.ZodType<C>
  secret: z.ZodType<S>
  /** What cannot be said by a schema. */
  check?(config: C, rules: SourceRules): void
  open(config: C, secret: S, rules: SourceRules): AnySource & { kind: K }
  /** What an owner runs to give a role what this source needs, and no more. */
  grants?(config: C, role: string): string
}

const define = <K extends SourceKind, C, S>(adapter: Adapter<K, C, S>): Adapter<K, C, S> => adapter

/** Every adapter, by the name that a source's row carries. */
export const ADAPTERS = {
  native: define({
    kind: 'intent',
    config: nativeConfigSchema,
    secret: postgresSecretSchema,
    open: (config, secret, { readOnly, clock }) => openNativeSource(config, secret, readOnly, clock),
    grants: ({ schema }, role) => grantsForConsole({ role, schema }),
  }),
  'native-hybrid': define({
    kind: 'intent',
    config: hybridConfigSchema,
    secret: hybridSecretSchema,
    open: (config, secret, { readOnly, clock }) => openHybridSource(config, secret, readOnly, clock),
    grants: hybridGrants,
  }),
  'native-dynamodb': define({
    kind: 'intent',
    config: nativeDynamoConfigSchema,
    secret: dynamoSecretSchema,
    open: (config, secret, { readOnly, clock }) =>
      openNativeDynamoSource(config, secret, { readOnly, clock }),
    grants: nativeDynamoPolicy,
  }),
  'native-redis': define({
    kind: 'intent',
    config: nativeRedisConfigSchema,
    secret: redisSecretSchema,
    open: (config, secret, { clock, readOnly }) => openNativeRedisSource(config, secret, { clock, readOnly }),
    grants: (_config, user) => nativeRedisGrants(user),
  }),
  'rocket-rides-atomic': define({
    kind: 'intent',
    config: brandurConfigSchema,
    secret: postgresSecretSchema,
    open: (config, secret, { clock }) => openMappedSource(brandurMapping(config), secret, clock),
    grants: (config, role) => roleSql(brandurMapping(config), role),
  }),
  'guide-recipe': define({
    kind: 'intent',
    config: recipeConfigSchema,
    secret: postgresSecretSchema,
    open: (config, secret, { clock }) => openMappedSource(recipeMapping(config), secret, clock),
    grants: (config, role) => roleSql(recipeMapping(config), role),
  }),
  'mapped-postgres': define({
    kind: 'intent',
    config: mappedConfigSchema,
    secret: postgresSecretSchema,
    open: (config, secret, { clock }) => openMappedSource(config, secret, clock),
    grants: roleSql,
  }),
  dynamodb: define({
    kind: 'intent',
    config: dynamoConfigSchema,
    secret: dynamoSecretSchema,
    open: (config, secret, { readOnly, clock }) => openDynamoSource(config, secret, { readOnly, clock }),
    grants: policyText,
  }),
  redis: define({
    kind: 'intent',
    config: redisConfigSchema,
    secret: redisSecretSchema,
    open: (config, secret, { clock, readOnly }) => openRedisSource(config, secret, { clock, readOnly }),
    grants: redisGrants,
  }),
  'ledger-postgres': define({
    kind: 'ledger',
    config: ledgerConfigSchema,
    secret: postgresSecretSchema,
    open: (config, secret, { clock }) => openLedgerSource(config, secret, clock),
  }),
  outbox: define({
    kind: 'outbox',
    config: outboxConfigSchema,
    secret: postgresSecretSchema,
    open: (config, secret, { readOnly }) => openOutboxSource(config, secret, readOnly),
    grants: ({ schema }, role) => grantsForConsole({ role, schema }),
  }),
  'mapped-outbox': define({
    kind: 'outbox',
    config: mappedOutboxConfigSchema,
    secret: postgresSecretSchema,
    open: (config, secret, { readOnly }) => openMappedMessages('outbox', config, secret, readOnly),
    grants: mappedOutboxGrants,
  }),
  /** A table in which each row is a message that a consumer was given. */
  'mapped-dead-letters': define({
    kind: 'dead_letters',
    config: mappedOutboxConfigSchema,
    secret: postgresSecretSchema,
    open: (config, secret, { readOnly }) => openMappedMessages('dead_letters', config, secret, readOnly),
    grants: mappedOutboxGrants,
  }),
  'sqs-dead-letters': define({
    kind: 'dead_letters',
    config: sqsConfigSchema,
    secret: sqsSecretSchema,
    open: (config, secret, { readOnly, clock }) => openSqsDeadLetters(config, secret, { readOnly, clock }),
    grants: sqsPolicy,
  }),
  'rabbitmq-dead-letters': define({
    kind: 'dead_letters',
    config: rabbitConfigSchema,
    secret: rabbitSecretSchema,
    open: (config, secret, { readOnly, clock }) => openRabbitDeadLetters(config, secret, { readOnly, clock }),
    grants: rabbitGrants,
  }),
  'kafka-dead-letters': define({
    kind: 'dead_letters',
    config: kafkaConfigSchema,
    secret: kafkaSecretSchema,
    open: (config, secret, { readOnly, clock }) => openKafkaDeadLetters(config, secret, { readOnly, clock }),
    grants: kafkaGrants,
  }),
  stripe: define({
    kind: 'provider',
    config: stripeConfigSchema,
    secret: stripeSecretSchema,
    check(config, { demo }) {
      if (config.baseUrl !== undefined && !demo) {
        throw new AppError('invalid', 'Only the demo may point a provider at another base URL.')
      }
    },
    open: (config, secret) => openStripeSource(config, secret),
  }),
} as const

export type AdapterName = keyof typeof ADAPTERS
export const adapterNameSchema = z.enum(Object.keys(ADAPTERS) as [AdapterName, ...AdapterName[]])

/** Parses a row's configuration and secret, and opens the source; nothing is connected yet. */
export function openAdapter(
  name: AdapterName,
  config: unknown,
  secret: unknown,
  rules: SourceRules,
): AnySource {
  // Each adapter's own types meet again inside `openWith`; the table's union cannot carry them across.
  return openWith(ADAPTERS[name] as Adapter<SourceKind, unknown, unknown>, config, secret, rules)
}

export function parseAdapterInput(
  name: AdapterName,
  config: unknown,
  secret: unknown,
  rules: SourceRules,
): { kind: SourceKind; config: unknown; secret: unknown } {
  const adapter = ADAPTERS[name] as Adapter<SourceKind, unknown, unknown>
  const parsed = {
    kind: adapter.kind,
    config: adapter.config.parse(config),
    secret: adapter.secret.parse(secret),
  }
  adapter.check?.(parsed.config, rules)
  return parsed
}

/** What a role needs to be granted for a source; null = the adapter does not say it. */
export function grantsOf(name: AdapterName, config: unknown, role: string): string | null {
  const adapter = ADAPTERS[name] as Adapter<SourceKind, unknown, unknown>
  return adapter.grants?.(adapter.config.parse(config), role) ?? null
}

function openWith<C, S>(
  adapter: Adapter<SourceKind, C, S>,
  config: unknown,
  secret: unknown,
  rules: SourceRules,
): AnySource {
  const parsed = adapter.config.parse(config)
  adapter.check?.(parsed, rules)
  return adapter.open(parsed, adapter.secret.parse(secret), rules)
}
