/** `localStorage`, `sessionStorage`, React Native's AsyncStorage, or anything like them. */
export type KeyStorage = {
  getItem(name: string): string | null | Promise<string | null>
  setItem(name: string, key: string): unknown
  removeItem(name: string): unknown
}

export type KeptKeys = {
  /** The key of an operation, kept before it is sent: after a reload it is the same. */
  take(operation: string, makeKey: () => string): Promise<string>
  /** With `key`: only where it is still that one. The name may stand for the next operation by now. */
  forget(operation: string, key?: string): Promise<void>
}

export function createMemoryStorage(): KeyStorage {
  const keys = new Map<string, string>()
  return {
    getItem: (name) => keys.get(name) ?? null,
    setItem: (name, key) => keys.set(name, key),
    removeItem: (name) => keys.delete(name),
  }
}

const PREFIX = 'idempotency-key:'

export function createKeptKeys(storage: KeyStorage): KeptKeys {
  // Two calls at once would each find nothing.
  const taking = new Map<string, Promise<string>>()
  async function take(name: string, makeKey: () => string): Promise<string> {
    const kept = await storage.getItem(name)
    if (typeof kept === 'string' && kept !== '') return kept
    const key = makeKey()
    await storage.setItem(name, key)
    return key
  }
  return {
    take(operation, makeKey) {
      const name = PREFIX + operation
      const taken =
        taking.get(name) ?? alone(name, () => take(name, makeKey)).finally(() => taking.delete(name))
      taking.set(name, taken)
      return taken
    },
    async forget(operation, key) {
      const name = PREFIX + operation
      await alone(name, async () => {
        if (key === undefined || (await storage.getItem(name)) === key) await storage.removeItem(name)
      })
    },
  }
}

/** Other tabs of the site read and write the same storage: browsers have locks for that, other platforms have no tabs. */
async function alone<T>(name: string, work: () => Promise<T>): Promise<T> {
  const platform: { navigator?: { locks?: Partial<LockManager> } } = globalThis
  const locks = platform.navigator?.locks
  return typeof locks?.request === 'function' ? await locks.request(name, work) : await work()
}

/**
 * After these the operation is still to be done, with the same key: no decision was made (or it is not known), and an earlier
 * attempt may have left effects under the key.
 */
const UNSETTLED = new Set([400, 401, 408, 409, 412, 422, 425, 428, 429])

export const isSettled = (response: Response): boolean =>
  response.headers.get('idempotent-replayed') === 'true' ||
  (response.status < 500 && !UNSETTLED.has(response.status))
