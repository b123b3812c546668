import { z } from 'zod'
import type { Context } from '@/lib/context'
import type { CaseView } from '../cases/case-view'
import { changeCase } from './change-case'

const textSchema = z.string().trim().min(1, 'say something').max(4000)

export const commentCase = async (ctx: Context, input: { caseId: string; text: string }): Promise<CaseView> =>
  changeCase(ctx, {
    caseId: input.caseId,
    verb: 'comment',
    patch: {},
    resolvedToo: true,
    data: { text: textSchema.parse(input.text) },
  })
