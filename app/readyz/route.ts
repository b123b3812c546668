import { readReadiness } from '@/app/_server/health'
import { services } from '@/app/_server/services'

export const dynamic = 'force-dynamic'

/** 200 when every part is ready, else 503 that names those that are not. */
export async function GET(): Promise<Response> {
  const { ready, parts } = await readReadiness(services())
  const headers = { 'cache-control': 'no-store', ...(ready ? {} : { 'retry-after': '2' }) }
  return Response.json(
    { status: ready ? 'ready' : 'not ready', parts },
    { status: ready ? 200 : 503, headers },
  )
}
