import { expect, test } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import { createLog } from '@/lib/log'

function createCaptured() {
  const lines: Record<string, unknown>[] = []
  const clock = manualClock('2026-11-29T03:00:00Z')
  const to = { write: (line: string) => void lines.push(JSON.parse(line)) }
  return { log: createLog('test', 'info', { clock, to }), lines, clock }
}

const diskFull = (relation: number) => new Error(`could not extend file "base/${relation}": No space left`)

test('the same trouble a thousand times is a few lines, and the next window says how many were left out', () => {
  const { log, lines, clock } = createCaptured()
  for (let count = 0; count < 1000; count += 1) log.error({ err: diskFull(count) }, 'could not store')
  log.error({ err: new Error('another') }, 'could not store')
  log.child({ runId: 'run_1' }).error({ err: diskFull(1) }, 'could not store')
  expect(lines).toHaveLength(6)
  clock.advance(31_000)
  log.error({ err: diskFull(7) }, 'could not store')
  expect(lines.at(-1)).toMatchObject({ msg: 'could not store', omittedBefore: 996 })
})

test('a clock that steps back opens a new window', () => {
  const { log, lines, clock } = createCaptured()
  for (let count = 0; count < 10; count += 1) log.error({ err: diskFull(count) }, 'could not store')
  expect(lines).toHaveLength(5)
  clock.advance(-600_000)
  log.error({ err: diskFull(7) }, 'could not store')
  expect(lines.at(-1)).toMatchObject({ msg: 'could not store', omittedBefore: 5 })
})

test('information is never left out', () => {
  const { log, lines } = createCaptured()
  for (let count = 0; count < 100; count += 1) log.info({ count }, 'done')
  expect(lines).toHaveLength(100)
})

test('an error that quotes rows is cut', () => {
  const { log, lines } = createCaptured()
  log.error({ err: Object.assign(new Error('x'.repeat(1e6)), { where: 'COPY '.repeat(1e6) }) }, 'failed')
  expect(JSON.stringify(lines).length).toBeLessThan(10_000)
  expect(lines[0]).toMatchObject({ err: { where: expect.stringMatching(/^COPY /) } })
})
