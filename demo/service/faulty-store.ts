import type { PoolClient } from 'pg'
import { StoreUnavailableError } from '../../sdk/errors'
import type { Store } from '../../sdk/stores/store'
import { toService } from '../messages'

/** A store that the parent process can make unreachable. */
export function withStoreFault<S extends Store<PoolClient>>(store: S): S {
  let down = false
  process.on('message', (message) => {
    if (toService.parse(message).type === 'store-down') down = true
  })
  return {
    ...store,
    acquire: async (request) => {
      if (down) throw new StoreUnavailableError('the store cannot be reached')
      return store.acquire(request)
    },
  }
}
