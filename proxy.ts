import { type NextRequest, NextResponse } from 'next/server'

/**
 * A content security policy with a nonce for each page: Next puts it on its own scripts, and `x-nonce` has it for ours.
 * Nothing but this origin is ever asked. Styles may be inline: charts place their marks with style attributes.
 */
export function proxy(request: NextRequest): NextResponse {
  const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
  // React needs eval while developing only.
  const evaluate = process.env.NODE_ENV === 'development' ? " 'unsafe-eval'" : ''
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${evaluate}`,
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
  const headers = new Headers(request.headers)
  headers.set('x-nonce', nonce)
  headers.set('content-security-policy', policy)
  const response = NextResponse.next({ request: { headers } })
  response.headers.set('content-security-policy', policy)
  return response
}

/** Pages only: what is no document has no scripts. */
export const config = {
  matcher: ['/((?!api/|_next/|healthz|readyz|metrics|icon\\.svg|favicon\\.ico).*)'],
}
