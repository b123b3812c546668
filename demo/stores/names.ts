/** The stores that the demo's service can keep its keys in: one process, and routes of their own for each. */
export const storeNames = ['postgresql', 'dynamodb', 'redis'] as const
export type StoreName = (typeof storeNames)[number]

/** What the routes of a store begin with: a shop's payments, its subscriptions, its tickets. */
export const storePrefixes: Readonly<Record<StoreName, string>> = {
  postgresql: '',
  dynamodb: '/subscriptions',
  redis: '/tickets',
}

export const tableName = 'subscriptions-idempotency'

/** Those of an environment: PostgreSQL is always there. */
export function storesOf(env: { DEMO_DYNAMODB_URL: string; DEMO_REDIS_URL: string }): readonly StoreName[] {
  const given = { postgresql: true, dynamodb: env.DEMO_DYNAMODB_URL !== '', redis: env.DEMO_REDIS_URL !== '' }
  return storeNames.filter((name) => given[name])
}
