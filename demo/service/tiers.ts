/** How long the records of a route live after completion. */
export const tiers = {
  payments: { name: 'payments', ttlMs: 24 * 60 * 60 * 1000 },
  /** So short that the demo can show a retry that comes too late. */
  quick: { name: 'quick', ttlMs: 20_000 },
} as const
