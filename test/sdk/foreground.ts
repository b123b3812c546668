import { acquireRequest, holderOf, okResponse, type StoreFixture } from './support'

/** Requests without pause, and the longest that one of them stood in a queue for a lock, as the server has it. */
export function startForeground(fixture: StoreFixture) {
  let running = true
  let longestMs = 0
  let executed = 0
  const client = async (name: string) => {
    for (let n = 0; running; n++) {
      const request = acquireRequest(`${name}-${n}`)
      await fixture.store.complete(holderOf(request, await fixture.store.acquire(request)), okResponse())
      executed += 1
    }
  }
  const watch = async () => {
    while (running) {
      const [row] = await fixture.query<{ ms: number | null }>(
        `SELECT (extract(epoch FROM max(clock_timestamp() - l.waitstart)) * 1000)::float8 AS ms
         FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE NOT l.granted AND (a.query LIKE '%idem_acquire%' OR a.query LIKE '%idem_complete%')`,
      )
      longestMs = Math.max(longestMs, row?.ms ?? 0)
    }
  }
  const id = Math.trunc(performance.now() * 1000)
  const work = [client(`a${id}`), client(`b${id}`), watch()]
  return {
    executed: () => executed,
    async stop() {
      running = false
      await Promise.all(work)
      return { executed, longestMs }
    },
  }
}
