import { respond } from '@/app/_server/respond'
import { services } from '@/app/_server/services'

export const dynamic = 'force-dynamic'

/** Sign-in, sign-out and the session, by better-auth. */
const handle = (request: Request): Promise<Response> =>
  respond(request, () => services().auth.handler(request))

export { handle as GET, handle as POST }
