import type { TermsRule } from '@/lib/conditions/terms'
import type { Finding } from '@/lib/conditions/write-conditions'
import type { SystemContext } from '@/lib/context'
import type { ConditionKind } from '@/lib/core/condition-kinds'

/** What an evaluation looks at, at one moment and by one set of terms. */
export type Look = { ctx: SystemContext; now: Date; rules: readonly TermsRule[] }

/** Kinds that are decided from the same facts: together they hold, or are not known. */
export type Family = {
  kinds: readonly ConditionKind[]
  find(look: Look): Promise<Finding[]>
}

export const ago = (now: Date, ms: number): Date => new Date(now.getTime() - ms)
