import { createHash } from 'node:crypto'
import { AppError } from '@/lib/core/errors'
import type { LeaseRow } from '@/lib/sources/contracts'
import { answerDigest, type ProviderAnswer } from './provider-answer'

/** What a person saw of a lock, as one opaque word: the lease as the store had it, and the provider's answer. */
export type LockVersion = { fence: string; store: string; evidence: string }

/** The store's side of it. */
export const storeDigest = (lease: LeaseRow): string =>
  createHash('sha256').update(lease.version).digest('hex').slice(0, 24)

export const lockVersion = (lease: LeaseRow, answer: ProviderAnswer): LockVersion => ({
  fence: lease.fence.toString(),
  store: storeDigest(lease),
  evidence: answerDigest(answer),
})

export const formatLockVersion = (version: LockVersion): string =>
  `${version.fence}.${version.store}.${version.evidence}`

/** Throws `conflict`: whatever it is, it is not what the lock is now. */
export function parseLockVersion(text: string): LockVersion {
  const match = /^(\d{1,19})\.([0-9a-f]{24})\.([0-9a-f]{12})$/.exec(text)
  const [, fence, store, evidence] = match ?? []
  if (fence === undefined || store === undefined || evidence === undefined) {
    throw new AppError(
      'conflict',
      'That is no version of this lock: read it again, and send the version you saw.',
    )
  }
  return { fence, store, evidence }
}
