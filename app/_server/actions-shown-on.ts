import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import type { ActionInput } from '@/app/_ui/action-dialog'
import type { Attempted } from './attempt'
import { type ActionRules, attemptOnce } from './attempt-once'
import type { UserContext } from './context'

type Done = Promise<Attempted<unknown>>

/** Runs a verb once, as attemptOnce does; then the pages that show what it changed are read again. */
export const actionsShownOn =
  (...pages: Parameters<typeof revalidatePath>[]) =>
  (
    name: string,
    { requestId }: { requestId: string },
    work: (ctx: UserContext) => Promise<unknown>,
    rules?: ActionRules,
  ): Done =>
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

const idSchema = z.string().max(64)

/**
 * Server actions made of a verb and what the action dialog asked for; `actionOn` is of one thing, by its id. `once` is for
 * those that are bound to something else.
 */
export function dialogActions(...pages: Parameters<typeof revalidatePath>[]) {
  const once = actionsShownOn(...pages)
  return {
    once,
    action:
      (name: string, verb: (ctx: UserContext, input: ActionInput) => Promise<unknown>, rules?: ActionRules) =>
      async (input: ActionInput): Done =>
        once(name, input, (ctx) => verb(ctx, input), rules),
    actionOn:
      (
        name: string,
        verb: (ctx: UserContext, id: string, input: ActionInput) => Promise<unknown>,
        rules?: ActionRules,
      ) =>
      async (id: string, input: ActionInput): Done =>
        once(name, input, (ctx) => verb(ctx, idSchema.parse(id), input), rules),
  }
}
