import { revalidatePath } from 'next/cache'
import type { Attempted } from './attempt'
import { type ActionRules, attemptOnce } from './attempt-once'
import type { UserContext } from './context'

/** Runs a verb once, as attemptOnce does; then the pages that show what it changed are read again. */
export const actionsShownOn =
  (...pages: Parameters<typeof revalidatePath>[]) =>
  (
    name: string,
    { requestId }: { requestId: string },
    work: (ctx: UserContext) => Promise<unknown>,
    rules?: ActionRules,
  ): Promise<Attempted<unknown>> =>
    attemptOnce(
      name,
      requestId,
      async (ctx) => {
        await work(ctx)
        for (const page of pages) revalidatePath(...page)
        return null
      },
      rules,
    )
