import { createHash } from 'node:crypto'
import { canonicalJson } from '@/lib/core/canonical-json'

/** What an approval is bound to. */
export const evidenceHashOf = (evidence: unknown): string =>
  createHash('sha256').update(canonicalJson(evidence)).digest('hex').slice(0, 32)
