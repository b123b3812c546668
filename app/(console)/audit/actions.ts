'use server'

import { type Attempted, attempt } from '@/app/_server/attempt'
import { signingKeys } from '@/lib/audit/signing'
import { type ChainReport, verifyChain } from '@/lib/audit/verify/verify'
import { authorise } from '@/lib/core/authorise'
import { env } from '@/lib/env'

export type { ChainReport } from '@/lib/audit/verify/verify'

/** Recomputes the whole chain: a read, however long. */
export const verifyAudit = async (): Promise<Attempted<ChainReport>> =>
  attempt((ctx) => {
    authorise(ctx, 'audit.verify')
    return verifyChain(ctx.db, signingKeys(env().IDEMSCOPE_AUDIT_KEY))
  })
