import { isSafeMethod } from '@/sdk/requests/safe-methods'
import { gatewayProblem } from './problem'
import type { Target } from './routes/target'
import type { Route, World } from './world'

const OTHER_SPELLING =
  'Services may read this path as that of another route, which needs a key: send it in the case of that route, without parameters and without a slash at its end.'

/** The route of a request, or why it has none. */
export function findRoute(world: World, { method, path }: Target): { route: Route } | { problem: Response } {
  const found = world.find(method, path)
  if (found.kind === 'route') {
    const changesUnkeyed = found.route.serveKeyed === null && !isSafeMethod(method)
    if (!changesUnkeyed || !world.isReadAsKeyed(method, path, found.route)) return found
    return { problem: gatewayProblem('ambiguousPath', { detail: OTHER_SPELLING }) }
  }
  if (found.kind === 'none') return { problem: gatewayProblem('noRoute') }
  const answer = gatewayProblem('methodNotAllowed')
  answer.headers.set('allow', found.allow.join(', '))
  return { problem: answer }
}
