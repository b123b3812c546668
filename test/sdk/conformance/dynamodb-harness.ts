import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { keyItemOf, partitionOf } from '@/sdk/stores/dynamodb/layout'
import type { HoldPlacing as Placing } from '@/sdk/stores/hold-placing'
import type { Item, Seen } from '../dynamodb/emulator'
import { ageLease, createDynamoFixture } from '../dynamodb/fixture'
import { type Change, type Harness, OPERATOR, type Target, TIERS } from './harness'

const REASON = 'Customers are charged twice'

/** `bare` = failed conditions bring no item, as where something between does not know the parameter. */
export async function openDynamoHarness(options: { bare?: boolean } = {}): Promise<Harness> {
  const fixture = await createDynamoFixture({ ...options, largeResponses: true })
  const { client } = fixture.line
  const TableName = fixture.tableName
  for (const [name, ttlMs] of Object.entries(TIERS)) await fixture.store.registerTier(name, ttlMs)
  const lossy = await fixture.emulator.openLine()
  const changes = new Map<string, Change[]>()
  fixture.emulator.watch((table, before, after) => {
    if (table === TableName && after?.sk?.S === 'k') noteChanges(changes, before, after)
  })
  let expired = 0
  let lostBefore = 0

  return {
    store: fixture.store,
    async openStore({ clock, wallClockSkewMs = 0 } = {}) {
      // The machine's clock is never asked; what is off here is the only clock that there is.
      const line =
        wallClockSkewMs === 0
          ? fixture.line
          : await fixture.emulator.openLine({ dateSkewMs: wallClockSkewMs })
      return fixture.openStore({ client: line.newClient(), ...(clock === undefined ? {} : { clock }) })
    },
    ageLease: (target, byMs) => ageLease(fixture, target, byMs),
    async expireRecord(target) {
      const item = await fixture.item(target)
      if (item?.s?.S !== 'C' && item?.s?.S !== 'F') return false
      // By turns as it is found at once, and as it is found when DynamoDB has deleted it.
      expired += 1
      if (expired % 2 === 0) await fixture.remove(target)
      else await fixture.change(target, 'SET x = :none', { ':none': { N: '0' } })
      return true
    },
    release: (target) => release(target),
    async placeHold(hold) {
      const placing = { lastsMs: 60_000, ...hold, reason: REASON, by: 'test' } as Placing
      return (await fixture.store.placeHold(placing)).said
    },
    liftHold: (id) => fixture.store.liftHold(id, 'The provider is mended', 'test'),
    async clearHolds() {
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: 'pk = :hold',
          ExpressionAttributeValues: { ':hold': { S: 'hold' } },
        }),
      )
      for (const { pk, sk } of Items)
        if (pk !== undefined && sk !== undefined)
          await client.send(new DeleteItemCommand({ TableName, Key: { pk, sk } }))
    },
    losing: {
      store: fixture.openStore({ client: lossy.client }),
      loseNextReply() {
        lostBefore = lossy.broken()
        lossy.breakNext('lose', isKeyUpdate)
      },
      lost: () => lossy.broken() - lostBefore,
    },
    changesOf: async (target) => changes.get(partitionOf(target)) ?? [],
    close: fixture.close,
  }

  /** As the console does it: compare-and-set on everything that was seen. */
  async function release(target: Target): Promise<boolean> {
    const item = await fixture.item(target)
    const nowMs = Date.now()
    const state = item?.s?.S
    const isReleasable = state === 'U' || ((state === 'L' || state === 'R') && Number(item?.u?.N) < nowMs)
    if (item?.f?.N === undefined || item.v === undefined || !isReleasable) return false
    const { pk, sk } = keyItemOf(target)
    const fence = BigInt(item.f.N) + 1n
    const lowest = BigInt(nowMs) * 1000n
    try {
      await client.send(
        new UpdateItemCommand({
          TableName,
          Key: { pk: { S: pk }, sk: { S: sk } },
          ConditionExpression: 'f = :seen AND v = :version',
          UpdateExpression: 'SET s = :r, f = :f, u = :now, o = :operator ADD v :one',
          ExpressionAttributeValues: {
            ':seen': item.f,
            ':version': item.v,
            ':r': { S: 'R' },
            ':f': { N: String(fence > lowest ? fence : lowest) },
            ':now': { N: String(nowMs) },
            ':operator': { S: OPERATOR },
            ':one': { N: '1' },
          },
        }),
      )
      return true
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false
      throw error
    }
  }
}

const isKeyUpdate = ({ operation, body }: Seen): boolean =>
  operation === 'UpdateItem' && (body.Key as { pk: { S: string } }).pk.S.startsWith('k#')

function noteChanges(changes: Map<string, Change[]>, before: Item | undefined, after: Item): void {
  const of = changes.get(after.pk?.S ?? '') ?? []
  changes.set(after.pk?.S ?? '', of)
  const fence = BigInt(after.f?.N ?? 0)
  const isLive = before !== undefined && ['L', 'R', 'U'].includes(before.s?.S ?? '')
  if (before?.f?.N !== after.f?.N)
    of.push({
      what: 'holder',
      fence,
      fromState: isLive ? (before.s?.S ?? null) : null,
      fromOwner: isLive ? (before.o?.S ?? null) : null,
    })
  for (const [name, step] of Object.entries(after.steps?.M ?? {})) {
    const was = before?.steps?.M?.[name]?.M
    if (step.M?.s?.S === 'B' && (was?.s?.S !== 'B' || was.f?.N !== step.M.f?.N))
      of.push({ what: 'begun', fence: BigInt(step.M.f?.N ?? 0), fromState: null, fromOwner: null })
  }
}
