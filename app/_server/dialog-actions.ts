import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import type { ActionInput } from '@/app/_ui/action-dialog'
import type { Attempted } from './attempt'
import { type ActionRules, attemptOnce } from './attempt-once'
import type { UserContext } from './context'

const idSchema = z.string().max(64)

/**
 * Server actions made of a verb and what the action dialog asked for. Each runs once, as attemptOnce does; then the pages
 * that show what it changed are read again. `actionOn` is of one thing, by its id; `once` is for what is bound to more.
 */
export function dialogActions(...pages: Parameters<typeof revalidatePath>[]) {
  const once = (
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
  return {
    once,
    action:
      (name: string, verb: (ctx: UserContext, input: ActionInput) => Promise<unknown>, rules?: ActionRules) =>
      async (input: ActionInput) =>
        once(name, input, (ctx) => verb(ctx, input), rules),
    actionOn:
      (
        name: string,
        verb: (ctx: UserContext, id: string, input: ActionInput) => Promise<unknown>,
        rules?: ActionRules,
      ) =>
      async (id: string, input: ActionInput) =>
        once(name, input, (ctx) => verb(ctx, idSchema.parse(id), input), rules),
  }
}
