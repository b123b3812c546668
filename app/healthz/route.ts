export const dynamic = 'force-dynamic'

/** The process is alive; it says nothing of what it needs. */
export function GET(): Response {
  return Response.json({ status: 'ok' }, { headers: { 'cache-control': 'no-store' } })
}
