import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createOutboxFixture, inTransaction, message, type OutboxFixture } from './fixture'

let fixture: OutboxFixture
const children = new Set<ChildProcess>()
beforeAll(async () => {
  fixture = await createOutboxFixture()
})
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await fixture.close()
})

type Taken = { id: string; key: string; type: string }

/** The broker of relays: takes what they send, and confirms it unless it is told to be silent. */
function createBroker() {
  const taken: Taken[] = []
  let heard = () => {}
  function startRelay(): ChildProcess {
    const child = fork('test/sdk/programs/relay-to-parent.ts', [fixture.url], {
      execArgv: ['--import', 'tsx'],
    })
    children.add(child)
    child.on('message', ({ number, messages }: { number: number; messages: Taken[] }) => {
      taken.push(...messages)
      child.send(number, () => {})
      heard()
    })
    return child
  }
  /** Resolves when so many were taken; false = the relay's process has ended before. */
  const until = (holds: () => boolean) =>
    new Promise<void>((resolve) => {
      heard = () => {
        if (holds()) resolve()
      }
      heard()
    })
  return { taken, startRelay, until }
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  children.delete(child)
}

test('relays that are killed with traffic lose nothing, publish nothing of a roll-back, and keep each key in order', async () => {
  const broker = createBroker()
  const committed: Taken[] = []
  let publishing = true
  const traffic = (async () => {
    for (let n = 0; publishing; n++) {
      const rollsBack = n % 5 === 0
      await inTransaction(fixture.pool, async (client) => {
        const key = `k${n % 7}`
        const id = await fixture.outbox.publish(client, message(`${rollsBack ? 'never' : 'm'}-${n}`, key))
        if (rollsBack) throw new Error('roll back')
        return { id, key, type: `m-${n}` }
      }).then(
        (one) => committed.push(one),
        () => {},
      )
    }
  })()
  const lasting = broker.startRelay()
  for (let round = 1; round <= 4; round++) {
    const victim = broker.startRelay()
    const before = broker.taken.length
    await broker.until(() => broker.taken.length > before + 60)
    await kill(victim)
  }
  publishing = false
  await traffic
  const taken = () => new Set(broker.taken.map(({ id }) => id))
  await broker.until(() => {
    const ids = taken()
    return committed.every(({ id }) => ids.has(id))
  })
  await kill(lasting)
  expect(taken()).toEqual(new Set(committed.map(({ id }) => id)))
  for (let key = 0; key < 7; key++) {
    const first = [...new Set(broker.taken.filter((each) => each.key === `k${key}`).map(({ type }) => type))]
    expect(first).toEqual(committed.filter((each) => each.key === `k${key}`).map(({ type }) => type))
  }
})
