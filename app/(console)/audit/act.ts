'use server'

import { type Attempted, attempt } from '@/app/_server/attempt'
import { type ChainReport, verifyChain } from '@/lib/audit/verify'
import { authorise } from '@/lib/core/authorise'

export type { ChainReport } from '@/lib/audit/verify'

/** Recomputes the whole chain: a read, however long. */
export const verifyAudit = async (): Promise<Attempted<ChainReport>> =>
  attempt((ctx) => {
    authorise(ctx, 'audit.verify')
    return verifyChain(ctx.db)
  })
