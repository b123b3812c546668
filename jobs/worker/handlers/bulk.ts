import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { MESSAGE_ACTION_KINDS } from '@/lib/core/states'
import { runBulk } from '@/lib/locks/bulk/run-bulk'
import { runMessages } from '@/lib/messages/bulk/run-messages'
import type { RunHandle, RunResult } from '@/lib/runs/handle'

const ofMessages = z.object({ verb: z.enum(MESSAGE_ACTION_KINDS) })

export const run = (ctx: SystemContext, handle: RunHandle, params: unknown): Promise<RunResult> =>
  ofMessages.safeParse(params).success ? runMessages(ctx, handle) : runBulk(ctx, handle)
