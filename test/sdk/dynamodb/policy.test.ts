import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { IdempotencyOptionsError } from '@/sdk/errors'
import { type DynamoPolicyOptions, dynamoPolicy } from '@/sdk/stores/dynamodb'
import { beginning, committed } from '../conformance/harness'
import { acquireRequest, holderOf, okResponse } from '../support'
import type { Seen } from './emulator'
import { ageLease, createDynamoFixture, type DynamoFixture } from './fixture'

const ARN = 'arn:aws:dynamodb:eu-central-1:123456789012:table/idempotency'

let fixture: DynamoFixture
beforeAll(async () => {
  fixture = await createDynamoFixture({ largeResponses: true })
})
afterAll(() => fixture.close())

/** As IAM judges it: an action, and the partitions that the request names. */
function isAllowed(role: DynamoPolicyOptions['for'], { operation, body }: Seen): boolean {
  const key = (body.Key as { pk?: { S: string } } | undefined)?.pk?.S
  const queried = Object.values((body.ExpressionAttributeValues ?? {}) as Record<string, { S?: string }>)
  const partition = key ?? queried.map(({ S }) => S).find((text) => text !== undefined) ?? ''
  return dynamoPolicy({ tableArn: ARN, for: role }).Statement.some(({ Action, Condition }) => {
    const partitions = Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys']
    const fits = partitions?.some((pattern) =>
      pattern.endsWith('*') ? partition.startsWith(pattern.slice(0, -1)) : partition === pattern,
    )
    return Action.includes(`dynamodb:${operation}`) && (fits ?? true)
  })
}

const refused = (role: DynamoPolicyOptions['for'], seen: Seen[]) =>
  seen
    .filter((one) => !isAllowed(role, one))
    .map(({ operation, body }) => `${operation} ${JSON.stringify(body.Key)}`)

it('a service needs no other right for whatever it does', async () => {
  const { store, line } = fixture
  const from = line.seen.length
  const fresh = fixture.openStore({ client: line.newClient() })
  await fresh.registerTier('default', 3_600_000)
  const request = acquireRequest('everything')
  const zombie = holderOf(request, await fresh.acquire(request))
  await fresh.checkpoint(zombie, 'point', null)
  await ageLease(fixture, request, 60_000)
  const holder = holderOf(request, await fresh.acquire(request))
  await fresh.beginEffect(holder, beginning())
  await fresh.settleEffect(holder, 'charge', committed())
  await fresh.heartbeat(holder, 20_000)
  await fresh.complete(holder, { ...okResponse(), body: randomBytes(500_000) })
  expect((await fresh.acquire(request)).kind).toBe('replay')
  await fresh.holds?.look(request)
  const other = acquireRequest('other')
  await store.giveBack(holderOf(other, await store.acquire(other)))
  await store.abandon(holderOf(other, await store.acquire(other)))
  const seen = line.seen.slice(from)
  expect(new Set(seen.map(({ operation }) => operation))).toEqual(
    new Set(['DescribeTable', 'DescribeTimeToLive', 'GetItem', 'UpdateItem', 'Query']),
  )
  expect(refused('service', seen)).toEqual([])
})

it('and has none to hold or lift, which an operator has', async () => {
  const { store, line } = fixture
  const from = line.seen.length
  const { id } = await store.placeHold({ kind: 'caller', caller: 'web', reason: 'Charged twice', by: 'test' })
  await store.liftHold(id, 'The provider is mended', 'test')
  const seen = line.seen
    .slice(from)
    .filter(({ operation }) => operation !== 'DescribeTable' && operation !== 'DescribeTimeToLive')
  expect(refused('operator', seen)).toEqual([])
  expect(refused('service', seen).length).toBeGreaterThan(1)
})

it('is one document for a role, and for one table', () => {
  expect(dynamoPolicy({ tableArn: ARN, for: 'service' })).toMatchInlineSnapshot(`
    {
      "Statement": [
        {
          "Action": [
            "dynamodb:DescribeTable",
            "dynamodb:DescribeTimeToLive",
          ],
          "Effect": "Allow",
          "Resource": "arn:aws:dynamodb:eu-central-1:123456789012:table/idempotency",
          "Sid": "CheckTable",
        },
        {
          "Action": [
            "dynamodb:GetItem",
            "dynamodb:UpdateItem",
          ],
          "Condition": {
            "ForAllValues:StringLike": {
              "dynamodb:LeadingKeys": [
                "k#*",
                "tier",
                "scope",
              ],
            },
          },
          "Effect": "Allow",
          "Resource": "arn:aws:dynamodb:eu-central-1:123456789012:table/idempotency",
          "Sid": "Keys",
        },
        {
          "Action": [
            "dynamodb:Query",
          ],
          "Condition": {
            "ForAllValues:StringLike": {
              "dynamodb:LeadingKeys": [
                "hold",
              ],
            },
          },
          "Effect": "Allow",
          "Resource": "arn:aws:dynamodb:eu-central-1:123456789012:table/idempotency",
          "Sid": "ReadHolds",
        },
      ],
      "Version": "2012-10-17",
    }
  `)
  expect(dynamoPolicy({ tableArn: ARN, for: 'setup' }).Statement[0]?.Action).toContain('dynamodb:CreateTable')
  expect(JSON.stringify(dynamoPolicy({ tableArn: ARN, for: 'console' }))).toContain(`${ARN}/index/live`)
  for (const tableArn of ['*', `${ARN}*`, `${ARN}/index/live`, 'idempotency'])
    expect(() => dynamoPolicy({ tableArn, for: 'service' })).toThrow(IdempotencyOptionsError)
  for (const role of ['service', 'operator', 'console', 'setup'] as const)
    expect(JSON.stringify(dynamoPolicy({ tableArn: ARN, for: role }))).not.toMatch(
      /Delete|PutItem|BatchWrite|\*"\]?,"Resource"/,
    )
  // No index finds what is finished, so the console alone may scan.
  for (const role of ['service', 'operator', 'setup'] as const)
    expect(JSON.stringify(dynamoPolicy({ tableArn: ARN, for: role }))).not.toContain('Scan')
})
