import { reportResponse } from '@/app/_server/report-response'
import { askedDay } from '../query'

export const POST = (request: Request): Promise<Response> =>
  reportResponse(request, (ctx, asked) => ({
    kind: 'day',
    day: askedDay(asked.get('day'), ctx.clock.now()),
  }))
