import { tiers } from '../tiers'

/** What the service publishes, and who consumes it: each topic has one group, and the inbox record's life is its tier's. */
export const topics = {
  /** What was sold and taken back: order by order, for the stock. */
  orders: { group: 'inventory', tier: tiers.payments },
  receipts: { group: 'email', tier: tiers.payments },
  /** Of quick payments. Its records live so shortly that the demo can show a redelivery that comes too late. */
  'quick-receipts': { group: 'email', tier: tiers.quick },
} as const

export type Topic = keyof typeof topics

/** As the console names a message's key. */
export const consumeScope = (topic: Topic): string => `${topics[topic].group}/CONSUME ${topic}`
