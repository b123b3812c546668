import type { Clock } from '../clock'
import type { Hold, StoreHolds } from './store'

/** From one read being sent to the next. */
const READ_EVERY_MS = 1_000
/** A read that takes longer has failed. With READ_EVERY_MS, what is known is always younger than KNOWN_MS_MAX. */
export const HOLDS_TIMEOUT_MS = 1_000
/** A hold is in force in every process so long after it was placed, at most. */
const KNOWN_MS_MAX = 2_000

/** A hold that is in force; leftMs = until its end, on the store's clock. */
export type HoldRow = {
  kind: 'store' | 'route' | 'caller' | 'step' | 'key'
  route: string | null
  caller: string | null
  step: string | null
  scope: string | null
  key: string | null
  leftMs: number
}

/** What a hold is on, as one text, so that a look-up costs the same however many there are. Scopes and steps have no newline. */
const TARGETS = {
  store: () => 'store',
  route: ({ route }) => `route\n${route}`,
  caller: ({ caller }) => `caller\n${caller}`,
  step: ({ step, route }) => stepTarget(step, route),
  key: ({ scope, key }) => keyTarget(scope, key),
} as const satisfies Record<HoldRow['kind'], (row: HoldRow) => string>

const stepTarget = (step: string | null, route: string | null) => `step\n${step}\n${route ?? ''}`
const keyTarget = (scope: string | null, key: string | null) => `key\n${scope}\n${key ?? ''}`

/**
 * Reads holds in the background from the first request on, so that requests do not wait for it; only one that comes after the
 * process was frozen does. While they cannot be read, the last known ones stay in force until they end.
 */
export function createHoldKeeper(
  readRows: () => Promise<readonly HoldRow[]>,
  clock: Clock,
  onError: (error: unknown) => void,
): Omit<StoreHolds, 'look'> & { close(): void } {
  /** Until when, by target, on this process's clock. */
  let known = new Map<string, number>()
  /** When the last read that has ended, either way, was sent. */
  let readAtMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | null = null
  let cancelNext = () => {}
  let closed = false

  function read(): Promise<void> {
    cancelNext()
    const sentAtMs = clock.nowMs()
    reading ??= readHolds().finally(() => {
      reading = null
      readAtMs = sentAtMs
      const elapsedMs = clock.nowMs() - sentAtMs
      if (!closed) cancelNext = clock.after(Math.max(0, READ_EVERY_MS - elapsedMs), read, 'background')
    })
    return reading
  }

  async function readHolds(): Promise<void> {
    try {
      const rows = await readRows()
      const nowMs = clock.nowMs()
      known = new Map()
      for (const row of rows) {
        const target = TARGETS[row.kind](row)
        known.set(target, Math.max(known.get(target) ?? 0, nowMs + row.leftMs))
      }
    } catch (error) {
      onError(error)
    }
  }

  /** The one that ends last. */
  function find(targets: readonly string[]): Hold | null {
    const leftMs = Math.max(...targets.map((target) => known.get(target) ?? 0)) - clock.nowMs()
    return leftMs > 0 ? { leftMs } : null
  }

  return {
    async refresh() {
      if (clock.nowMs() - readAtMs <= KNOWN_MS_MAX) return
      let cancel = () => {}
      const timeout = new Promise<'timeout'>((resolve) => {
        cancel = clock.after(HOLDS_TIMEOUT_MS, () => resolve('timeout'))
      })
      // Its connection may be long in coming: then nobody waits for it again at once.
      if ((await Promise.race([read(), timeout])) === 'timeout') readAtMs = clock.nowMs()
      cancel()
    },
    findExecutionHold(scope, key) {
      // Almost always.
      if (known.size === 0) return null
      const { caller, route } = splitScope(scope)
      return find(['store', `route\n${route}`, `caller\n${caller}`, keyTarget(scope, key)])
    },
    findStepHold(scope, step) {
      if (known.size === 0) return null
      return find([stepTarget(step, null), stepTarget(step, splitScope(scope).route)])
    },
    close() {
      closed = true
      cancelNext()
    },
  }
}

/** `{caller}/{METHOD} {route}`; a caller has no slash. */
function splitScope(scope: string): { caller: string; route: string } {
  const slash = scope.indexOf('/')
  return { caller: scope.slice(0, slash), route: scope.slice(slash + 1) }
}
