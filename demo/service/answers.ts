/** JSON answers and problem details. */
export function json(status: number, body: unknown): Response {
  return Response.json(body, { status })
}

export function problem(status: number, title: string, detail?: string): Response {
  const body = JSON.stringify({
    type: 'about:blank',
    title,
    status,
    ...(detail === undefined ? {} : { detail }),
  })
  return new Response(body, { status, headers: { 'content-type': 'application/problem+json' } })
}
